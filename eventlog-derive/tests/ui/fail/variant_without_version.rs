use eventlog::Versioned;

#[derive(Versioned)]
enum Event {
    Opened { version: u64 },
    Resized { width: u32, height: u32 },
}

fn main() {}
