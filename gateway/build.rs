//! The program holds what `console/app` and `console/widget` made: it is built anew when that was.

fn main() {
    println!("cargo:rerun-if-changed=../console/app/dist");
    println!("cargo:rerun-if-changed=../console/widget/dist");
}
