//! A log of one file of JSON lines that only grows, as one writes it in a quarter of an hour. No law
//! accuses it of having no rotation: those of rotations are left out, and the others judged.

use std::{
    collections::VecDeque,
    fs::{self, File},
    io::Write as _,
    path::PathBuf,
    sync::Mutex,
};

use model_tests::{
    Budget, Capability, Case, Class, Line, Log, OpenError, Ruling, Subject, Tick, Versioned as _,
    check, check_laws, laws,
};

#[derive(Clone)]
struct Growing;

struct Lines {
    inner: Mutex<Inner>,
    path: PathBuf,
    capacity: usize,
    _lock: File,
}

#[derive(Default)]
struct Inner {
    ring: VecDeque<Tick>,
    /// Made with the first event.
    file: Option<File>,
}

impl Subject for Growing {
    type Event = Tick;
    type Log = Lines;

    fn open(&self, case: &Case) -> Result<Lines, OpenError> {
        let path = case.dir()?.join("x.log");
        let lock = File::create(case.dir()?.join("x.lock"))?;
        lock.try_lock()?;
        Ok(Lines {
            inner: Mutex::default(),
            path,
            capacity: case.capacity,
            _lock: lock,
        })
    }

    fn event(&self, version: u64, pick: u32) -> Tick {
        Tick::new(version, pick)
    }

    fn files(&self, case: &Case) -> Result<Vec<PathBuf>, OpenError> {
        Ok(vec![case.dir()?.join("x.log")])
    }

    fn read_back(&self, case: &Case) -> Result<Vec<Line<Tick>>, OpenError> {
        let text = fs::read_to_string(case.dir()?.join("x.log")).unwrap_or_default();
        let line = |line: &str| match serde_json::from_str(line) {
            Ok(event) => Line::Event(event),
            Err(error) => Line::Damage(error.to_string()),
        };
        Ok(text.lines().map(line).collect())
    }

    fn line(&self, event: &Tick) -> String {
        serde_json::to_string(event).unwrap() + "\n"
    }
}

impl Log<Tick> for Lines {
    fn append(&self, event: Tick) -> Option<u64> {
        let line = serde_json::to_string(&event).unwrap() + "\n";
        let mut inner = self.inner.lock().unwrap();
        let open = || File::options().create(true).append(true).open(&self.path);
        let mut file = inner.file.take().unwrap_or_else(|| open().unwrap());
        file.write_all(line.as_bytes()).unwrap();
        inner.file = Some(file);
        if inner.ring.len() == self.capacity {
            inner.ring.pop_front();
        }
        inner.ring.push_back(event);
        None
    }

    fn events_since(&self, since: u64) -> Vec<Tick> {
        let inner = self.inner.lock().unwrap();
        let later = inner.ring.iter().filter(|event| event.version() > since);
        later.cloned().collect()
    }

    fn flush(&self) -> Result<(), OpenError> {
        if let Some(file) = &self.inner.lock().unwrap().file {
            file.sync_all()?;
        }
        Ok(())
    }

    fn shutdown(self) -> Result<(), OpenError> {
        self.flush()
    }
}

/// What it has beside `Durable` and `JsonLines`, nobody asks here.
const LACKS: &[Capability] = {
    use Capability::{Extremes, Follow, Missing, Rotation, Storage, Stored};
    &[Rotation, Follow, Stored, Storage, Missing, Extremes]
};

#[test]
fn a_file_that_only_grows_is_not_accused_of_it() {
    let mut budget = Budget::default();
    budget.lacks = LACKS;
    let laws = [&laws::W08, &laws::W10, &laws::W12, &laws::W13, &laws::W17];
    let mut rotates = budget;
    rotates.lacks = &LACKS[1..];
    let accused = check(&Growing, &laws::W08, &rotates).unwrap_err();
    assert!(accused.to_string().contains("no file above"), "{accused}");
    let mut rulings = Vec::new();
    for outcome in check_laws(&Growing, &laws, &budget) {
        rulings.push(match outcome.ruling {
            Ruling::Kept(report) => {
                assert_eq!(report.count(Class::Rotated), 0);
                "kept"
            }
            Ruling::Lacking(_) => "lacks",
            other => panic!("{}: {other:?}", outcome.law.id),
        });
    }
    assert_eq!(rulings, ["lacks", "kept", "lacks", "kept", "lacks"]);
}
