use eventlog::Versioned;

#[derive(Versioned)]
#[versioned(field = seq)]
enum Event {
    Opened { seq: u64, version: &'static str },
    Closed { seq: u64 },
}

#[derive(Versioned)]
#[versioned(field = type)]
struct Keyword {
    r#type: u64,
}

#[derive(Versioned)]
#[versioned(field = r#seq)]
struct NeedlesslyRaw {
    seq: u64,
}

fn main() {
    assert_eq!(Event::Opened { seq: 1, version: "v2" }.version(), 1);
    assert_eq!(Event::Closed { seq: 2 }.version(), 2);
    assert_eq!(Keyword { r#type: 3 }.version(), 3);
    assert_eq!(NeedlesslyRaw { seq: 4 }.version(), 4);
}
