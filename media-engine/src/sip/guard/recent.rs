//! A map with a size, which forgets what was not touched for longest.

use std::borrow::Borrow;
use std::collections::BTreeMap;

/// At most `max` entries. Ordered maps, so that what is forgotten depends on nothing but the
/// order of touches.
#[derive(Debug)]
pub(in crate::sip) struct Recent<K, V> {
    max: usize,
    touches: u64,
    entries: BTreeMap<K, (u64, V)>,
    order: BTreeMap<u64, K>,
}

impl<K: Ord + Clone, V> Recent<K, V> {
    pub(in crate::sip) fn new(max: usize) -> Self {
        assert!(max > 0, "a table has room for something");
        Self {
            max,
            touches: 0,
            entries: BTreeMap::new(),
            order: BTreeMap::new(),
        }
    }

    pub(in crate::sip) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(in crate::sip) fn is_full(&self) -> bool {
        self.entries.len() >= self.max
    }

    /// Looks without touching.
    pub(in crate::sip) fn find<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.entries.get(key).map(|(_, value)| value)
    }

    /// The first key that is not below `key`.
    pub(in crate::sip) fn first_from(&self, key: &K) -> Option<&K> {
        self.entries.range(key..).next().map(|(key, _)| key)
    }

    /// The entry of `key`, which is made when it is not there, as the most recent one.
    pub(in crate::sip) fn touch(&mut self, key: K, make: impl FnOnce() -> V) -> &mut V {
        if !self.entries.contains_key(&key)
            && self.is_full()
            && let Some((_, oldest)) = self.order.pop_first()
        {
            self.entries.remove(&oldest);
        }
        self.touches += 1;
        let touch = self.touches;
        self.order.insert(touch, key.clone());
        let entry = self.entries.entry(key).or_insert_with(|| (touch, make()));
        if entry.0 != touch {
            self.order.remove(&entry.0);
            entry.0 = touch;
        }
        &mut entry.1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_table_forgets_what_was_touched_longest_ago() {
        let mut table = Recent::new(2);
        *table.touch("a", || 1) += 10;
        table.touch("b", || 2);
        assert_eq!(*table.touch("a", || 0), 11, "touching makes it recent");
        table.touch("c", || 3);
        assert_eq!(table.find("a"), Some(&11));
        assert_eq!(table.find("b"), None);
        assert_eq!(table.find("c"), Some(&3));
        assert_eq!((table.len(), table.order.len()), (2, 2));
    }
}
