use eventlog::Versioned;

#[derive(Versioned)]
enum Event {
    Braces {},
    Parentheses(),
}

fn main() {}
