//! The program holds what `console/widget` made: it is built anew when that was.

fn main() {
    println!("cargo:rerun-if-changed=../console/widget/dist");
}
