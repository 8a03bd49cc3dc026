//! What was said through `tracing`, from whatever thread.

use std::{
    fmt::{Debug, Write},
    path::Path,
    sync::{Mutex, Once},
};

use tracing::{
    Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};

static SAID: Mutex<Vec<(Level, String)>> = Mutex::new(Vec::new());

/// Begins to listen. Warnings name a path, and each test has a path of its own.
pub fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        tracing::subscriber::set_global_default(Ear).unwrap();
        // What another test's writer said first while this began was taken as said to nobody, for
        // good.
        tracing::callsite::rebuild_interest_cache();
    });
}

/// Everything from warnings up that named this path.
pub fn said(path: &Path) -> Vec<String> {
    said_at(path, |level| level <= Level::WARN)
}

/// What is said of this path only to who looks for a fault.
pub fn whispered(path: &Path) -> Vec<String> {
    said_at(path, |level| level == Level::DEBUG)
}

fn said_at(path: &Path, is_meant: impl Fn(Level) -> bool) -> Vec<String> {
    let path = path.display().to_string();
    let said = SAID.lock().unwrap();
    let meant = said
        .iter()
        .filter(|(level, text)| is_meant(*level) && text.contains(&path));
    meant.map(|(_, text)| text.clone()).collect()
}

struct Ear;

struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, "{}={value:?} ", field.name()).unwrap();
    }
}

impl Subscriber for Ear {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut text = Text(String::new());
        event.record(&mut text);
        SAID.lock()
            .unwrap()
            .push((*event.metadata().level(), text.0));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}
