//! One history: several lives of a log, and what ends them.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::Relaxed},
};
use std::time::Duration;

use eventlog::disk::{
    DiskConfig, FileLog, Gap, GapReason, Notice, Reader, Record, Storage as _, SyncPolicy,
};
use eventlog::writer::{Destination as _, Meta, Records};
use eventlog::{Cursor, EventLog, Seq};
use model_tests::crashes::{PATH, endings, path};
use model_tests::disk_model::Numbered;
use model_tests::sim_disk::{Fault, Note, Random, SimDisk};

use crate::disturbance::{self, Disturbance, Files};
use crate::holders::{Answers, Holder, Truth};

/// What may happen in a history.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// What others do to the files between lives, any of these each time.
    pub disturbances: &'static [Disturbance],
    /// Nothing is synced between rotations.
    pub never: bool,
    /// Several batches wait for one sync.
    pub seldom: bool,
    /// Somebody moves or removes the file while it is written.
    pub moves: bool,
}

/// A log through its lives.
pub struct History {
    plan: Plan,
    random: Random,
    disk: SimDisk,
    truth: Truth,
    holders: Vec<Holder>,
    answers: Answers,
    /// The highest number that any event has.
    highest: u64,
    /// Which event has which number in the log's history, as its last life had it.
    numbered: HashMap<u64, u64>,
    copies: Vec<Files>,
    /// A copy of the disk that somebody else runs.
    copied: Option<SimDisk>,
    life: usize,
    /// Whether all that the last life showed had a mark when it ended.
    ended_quietly: bool,
    /// Whether this life went on without marks.
    marks_failed: Arc<AtomicBool>,
    story: String,
}

/// How a life goes.
struct Life {
    log: EventLog<Numbered>,
    file: FileLog<SimDisk>,
    bytes: Vec<u8>,
    ends: Vec<usize>,
    metas: Vec<Meta>,
    /// How many lines the file has taken and not forgotten.
    taken: usize,
    /// The newest event, by its number in the history and as such.
    newest: (u64, u64),
    /// Those who came in this life, with what was shown and stored by then.
    came: Vec<(Holder, Note)>,
}

impl History {
    pub fn run(plan: Plan, seed: u64) -> Answers {
        let mut history = Self {
            plan,
            random: Random::new(seed),
            disk: SimDisk::new(),
            truth: Truth::default(),
            holders: Vec::new(),
            answers: Answers {
                is_strict: plan.disturbances.is_empty() && !plan.never && !plan.moves,
                ..Answers::default()
            },
            highest: 0,
            numbered: HashMap::new(),
            copies: Vec::new(),
            copied: None,
            life: 0,
            ended_quietly: true,
            marks_failed: Arc::default(),
            story: format!("seed {seed}\n"),
        };
        let lives = 3 + history.random.below(4);
        for life in 1..=lives {
            history.life = life;
            history.answers.lives += 1;
            history.live();
        }
        history.answers
    }

    fn config(&mut self) -> DiskConfig {
        let every = [Duration::ZERO, Duration::from_secs(3600)][self.random.below(2)];
        let config = DiskConfig::new(PATH)
            .max_bytes(90 + self.random.below(120) as u64)
            .keep(1 + u32::from(self.random.toss()))
            .mark_every(every);
        let failed = self.marks_failed.clone();
        failed.store(false, Relaxed);
        let config = config.on_notice(move |notice| {
            if matches!(notice, Notice::MarksFailing { .. }) {
                failed.store(true, Relaxed);
            }
        });
        if self.plan.never {
            config.sync(SyncPolicy::Never)
        } else {
            config
        }
    }

    fn live(&mut self) {
        self.disturb();
        let config = self.config();
        self.disk.record();
        let (log, newest) = self.recover(&config);
        self.ask_all(&log, newest);
        let Some(mut life) = self.open(log, &config, newest) else {
            return;
        };
        self.disk.note(life.note());
        for _ in 0..self.random.below(9) {
            self.batch(&mut life);
        }
        self.end(life);
    }

    fn disturb(&mut self) {
        let of = self.plan.disturbances;
        if of.is_empty() || self.copies.len() < 2 || self.random.below(3) == 0 {
            return;
        }
        self.answers.disturbed += 1;
        self.ended_quietly = false;
        let disturbance = of[self.random.below(of.len())];
        if disturbance == Disturbance::SideBySide {
            let running = self.disk.kill();
            if let Some(copied) = self.copied.replace(running) {
                self.disk = copied;
            }
            self.story.push_str("the other copy\n");
            return;
        }
        let copy = &self.copies[self.random.below(self.copies.len() - 1)];
        disturbance.apply(&self.disk, copy, &mut self.random, &mut self.highest);
        let _ = writeln!(self.story, "{disturbance:?}");
    }

    /// The log back from the disk, and its newest event, a lost one also; `None` where nobody knows.
    fn recover(&mut self, config: &DiskConfig) -> (EventLog<Numbered>, Option<u64>) {
        let capacity = 2 + self.random.below(30);
        let builder = EventLog::builder().capacity(capacity);
        let (log, _) = builder.recover_on(&self.disk, config).unwrap();
        let mut newest = Some(0);
        // As a writer finds the files, which sets aside what is no whole line at their end.
        let repaired = self.disk.kill();
        drop(FileLog::open(repaired.clone(), config));
        for item in Reader::<Numbered, _>::open(repaired, PATH) {
            newest = match item {
                Ok(Record::Event(event)) => {
                    // A line of somebody else follows what stands before it.
                    let before = newest.unwrap_or(u64::MAX);
                    self.truth.append_if_new(event.version, before);
                    Some(event.version)
                }
                Ok(Record::Gap(gap)) => Some(gap.max_version),
                _ => None,
            };
        }
        let seq = log.cursor().seq().get();
        if newest == Some(0) && seq > 0 {
            // The file with the newest events was moved away. They came before what comes now.
            newest = self.numbered.get(&seq).copied();
        }
        let _ = writeln!(
            self.story,
            "life {}: newest {newest:?}, epoch {}\n{:?}",
            self.life,
            log.epoch(),
            self.disk
        );
        (log, newest)
    }

    fn ask_all(&mut self, log: &EventLog<Numbered>, newest: Option<u64>) {
        for holder in &self.holders {
            let after_quiet = self.ended_quietly && holder.life + 1 == self.life;
            self.answers
                .ask(log, holder, &self.truth, newest, after_quiet, &self.story);
        }
    }

    fn open(
        &mut self,
        log: EventLog<Numbered>,
        config: &DiskConfig,
        newest: Option<u64>,
    ) -> Option<Life> {
        let opened = FileLog::open_for(&log, self.disk.clone(), config);
        let Ok((mut file, _)) = opened else {
            let _ = writeln!(self.story, "cannot be opened: {:?}", opened.err());
            return None;
        };
        file.open(log.epoch()).unwrap();
        let seq = log.cursor().seq().get();
        file.begin(Seq::new(seq + 1));
        Some(Life {
            log,
            file,
            bytes: Vec::new(),
            ends: Vec::new(),
            metas: Vec::new(),
            taken: 0,
            newest: (seq, newest.unwrap_or(u64::MAX)),
            came: Vec::new(),
        })
    }

    fn batch(&mut self, life: &mut Life) {
        for _ in 0..=self.random.below(3) {
            if self.random.below(12) == 0 {
                self.lose(life);
            } else {
                self.append(life);
            }
            if self.random.below(3) == 0 {
                self.come_live(life);
            }
        }
        self.disk.note(life.note());
        if self.plan.moves && self.random.below(5) == 0 {
            self.answers.disturbed += 1;
            let to = path(if self.random.toss() {
                ".elsewhere"
            } else {
                ".old"
            });
            let _ = self.disk.rename(&path(""), &to);
        }
        if self.random.below(8) == 0 {
            let at = self.disk.operations() + self.random.below(6) as u64;
            self.disk
                .fail_at(at, Fault::SyncDrops(self.random.number()));
        }
        life.store(!self.plan.seldom || self.random.below(3) == 0);
        self.disk.note(life.note());
        self.come_durable(life);
        if self.random.below(3) == 0 {
            life.file.idle();
        }
        if self.random.below(6) == 0 {
            self.copies.push(disturbance::copy(&self.disk));
        }
    }

    fn append(&mut self, life: &mut Life) {
        let len = 26 + self.random.below(30);
        let event = self.next_event(life, len);
        let text = event.line();
        life.log.append(event);
        life.line(&text, false);
    }

    /// Some events are shown and never stored.
    fn lose(&mut self, life: &mut Life) {
        let count = 1 + self.random.below(3) as u64;
        let first = self.highest + 1;
        for _ in 0..count {
            let event = self.next_event(life, 26);
            life.log.append(event);
        }
        let gap = Gap::new(count, first, self.highest, GapReason::Backlog);
        let gap = gap.starting_at(Seq::new(life.newest.0 + 1 - count));
        life.line(&gap.to_line(), true);
    }

    fn next_event(&mut self, life: &mut Life, len: usize) -> Numbered {
        self.highest += 1;
        self.truth.append(self.highest, life.newest.1);
        life.newest = (life.newest.0 + 1, self.highest);
        self.numbered.insert(life.newest.0, self.highest);
        Numbered::new(self.highest, len)
    }

    fn come_live(&mut self, life: &mut Life) {
        let holder = Holder {
            cursor: life.log.cursor(),
            stands_on: life.newest.1,
            life: self.life,
        };
        let note = Note {
            handed: life.newest.0,
            durable: 0,
        };
        life.came.push((holder, note));
    }

    fn come_durable(&mut self, life: &mut Life) {
        let stored = usize::try_from(life.file.stored()).unwrap();
        let Some(meta) = stored.checked_sub(1).map(|last| life.metas[last]) else {
            return;
        };
        if self.plan.never || meta.is_gap {
            return;
        }
        let epoch = u64::from_str_radix(&life.log.epoch().to_string(), 16).unwrap() | 1;
        let cursor: Cursor = format!("{epoch:016x}.{}.{}", meta.seq, meta.version)
            .parse()
            .unwrap();
        let holder = Holder {
            cursor,
            stands_on: meta.version,
            life: self.life,
        };
        let note = Note {
            handed: 0,
            durable: meta.seq.get(),
        };
        life.came.push((holder, note));
    }

    fn end(&mut self, mut life: Life) {
        let came = std::mem::take(&mut life.came);
        let (disk, seen) = match self.random.below(4) {
            0 => self.close(life),
            1 => self.kill(life),
            _ => self.crash(life),
        };
        self.disk = disk;
        self.copies.push(disturbance::copy(&self.disk));
        if self.marks_failed.load(Relaxed) {
            // Then everybody may be told that a cursor is foreign.
            self.answers.without_marks += 1;
            self.holders.clear();
            self.ended_quietly = false;
            return;
        }
        for (holder, note) in came {
            if note.handed <= seen.handed && note.durable <= seen.durable {
                self.holders.push(holder);
            }
        }
    }

    fn close(&mut self, mut life: Life) -> (SimDisk, Note) {
        life.store(true);
        drop(life);
        self.story.push_str("closed\n");
        self.ended_quietly = !self.plan.never;
        (self.disk.kill(), everything())
    }

    /// The process is killed, after a quiet second or not.
    fn kill(&mut self, mut life: Life) -> (SimDisk, Note) {
        life.file.idle();
        let is_marked = life.file.idle().is_none() && life.has_stored_all();
        self.ended_quietly = is_marked && !self.plan.never;
        self.story.push_str("killed\n");
        (self.disk.kill(), everything())
    }

    /// The power fails after any of the operations of this life, or the process is killed there.
    fn crash(&mut self, life: Life) -> (SimDisk, Note) {
        let pictures = self.disk.pictures();
        let Some(last) = pictures.len().checked_sub(1) else {
            return self.kill(life);
        };
        let picture = &pictures[self.random.below(last + 1)];
        let endings = endings(picture, self.random.number());
        let ending = endings[self.random.below(endings.len())];
        let _ = writeln!(
            self.story,
            "{ending:?} after {:?} {}",
            picture.op, picture.operations
        );
        self.ended_quietly = false;
        (ending.of(picture), picture.note)
    }
}

fn everything() -> Note {
    Note {
        handed: u64::MAX,
        durable: u64::MAX,
    }
}

impl Life {
    fn line(&mut self, line: &str, is_gap: bool) {
        self.bytes.extend_from_slice(line.as_bytes());
        self.ends.push(self.bytes.len());
        let (seq, version) = self.newest;
        self.metas.push(Meta::new(Seq::new(seq), version, is_gap));
    }

    /// Hands over until all is taken, and with `sync` stored.
    fn store(&mut self, sync: bool) {
        for _ in 0..200 {
            let records = Records::new(&self.bytes, &self.ends).with_metas(&self.metas);
            let result = self.file.write(records.skip(self.taken), &mut |_| {});
            if result.is_ok() && !sync {
                self.taken = self.ends.len();
                return;
            }
            let result = result.and_then(|()| self.file.sync());
            self.taken = usize::try_from(self.file.stored()).unwrap();
            if result.is_ok() {
                return;
            }
        }
        panic!("the log does not come through");
    }

    fn has_stored_all(&self) -> bool {
        self.file.stored() == self.ends.len() as u64
    }

    fn note(&self) -> Note {
        let stored = usize::try_from(self.file.stored()).unwrap();
        let last = stored.checked_sub(1).map(|last| self.metas[last]);
        Note {
            handed: self.newest.0,
            durable: last.map_or(0, |meta| meta.seq.get()),
        }
    }
}
