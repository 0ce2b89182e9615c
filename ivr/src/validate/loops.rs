//! Nodes that nothing leads to, and loops that a caller who does nothing never leaves.

use std::collections::{BTreeMap, BTreeSet};

use super::parts::{Way, targets};
use super::{Code, Finding, Severity};
use crate::{Flow, NodeId};

/// Which nodes follow which.
type Graph<'a> = BTreeMap<&'a NodeId, Vec<&'a NodeId>>;

pub(super) fn check(flow: &Flow, findings: &mut Vec<Finding>) {
    unreachable_nodes(flow, findings);
    let straight = graph(flow, |way| way == Way::Straight);
    let hard = loops(&straight);
    for path in &hard {
        findings.push(finding(Severity::Error, Code::LoopWithoutInput, path));
    }
    // A loop through questions ends when the caller answers, or at the limit of steps.
    let silent = graph(flow, |way| way != Way::Input);
    for path in loops(&silent) {
        if !hard.iter().any(|known| known.is_subset(&path)) {
            findings.push(finding(Severity::Warning, Code::LoopOfSilence, &path));
        }
    }
}

fn unreachable_nodes(flow: &Flow, findings: &mut Vec<Finding>) {
    let all = graph(flow, |_| true);
    let mut reached = reach(&all, &flow.entry);
    reached.insert(&flow.entry);
    if let Some(exit) = &flow.failure {
        reached.insert(exit);
        reached.extend(reach(&all, exit));
    }
    for id in flow.nodes.keys().filter(|id| !reached.contains(id)) {
        findings.push(Finding::at(
            Severity::Warning,
            Code::UnreachableNode,
            id,
            "",
            id.as_str(),
        ));
    }
}

fn graph(flow: &Flow, takes: impl Fn(Way) -> bool) -> Graph<'_> {
    flow.nodes
        .iter()
        .map(|(id, node)| {
            let next = targets(node)
                .into_iter()
                .filter(|target| takes(target.way))
                .map(|target| target.to);
            (id, next.collect())
        })
        .collect()
}

/// The nodes that can be reached from `start` in one step or more.
fn reach<'a>(graph: &Graph<'a>, start: &NodeId) -> BTreeSet<&'a NodeId> {
    let mut reached = BTreeSet::new();
    let mut left: Vec<&NodeId> = graph.get(start).cloned().unwrap_or_default();
    while let Some(id) = left.pop() {
        if reached.insert(id) {
            left.extend(graph.get(id).into_iter().flatten());
        }
    }
    reached
}

/// Every set of nodes each of which leads to all of them, itself included.
fn loops<'a>(graph: &Graph<'a>) -> Vec<BTreeSet<&'a NodeId>> {
    let reached: BTreeMap<&NodeId, BTreeSet<&NodeId>> =
        graph.keys().map(|&id| (id, reach(graph, id))).collect();
    let mut loops: Vec<BTreeSet<&NodeId>> = Vec::new();
    for (id, from_here) in &reached {
        if from_here.contains(id) && !loops.iter().any(|known| known.contains(id)) {
            let leads_back =
                |other: &&&NodeId| reached.get(**other).is_some_and(|from| from.contains(id));
            loops.push(from_here.iter().filter(leads_back).copied().collect());
        }
    }
    loops
}

fn finding(severity: Severity, code: Code, path: &BTreeSet<&NodeId>) -> Finding {
    let names: Vec<&str> = path.iter().map(|id| id.as_str()).collect();
    let first = path
        .first()
        .map_or_else(|| NodeId::new(""), |id| (*id).clone());
    Finding::at(severity, code, &first, "", &names.join(", "))
}
