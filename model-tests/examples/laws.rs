//! Prints `LAWS.md`.

fn main() {
    print!("{}", model_tests::laws::to_markdown());
}
