//! The judge of recorded histories: histories of a sound log are accused of nothing, and one change
//! to one of them breaks the law that it is about.

#![allow(clippy::unwrap_used)]

use std::collections::VecDeque;

use model_tests::recorded::{
    Answered, From, Judgement, Line, Outcome,
    RecordedLaw::{self, CoverageTrue, NothingInvented, NothingLost, Ordered, Resumable, Unique},
    judge,
};
use proptest::prelude::*;

fn judged(lines: &[&str]) -> Judgement {
    judge(lines.join("\n").as_bytes()).unwrap()
}

fn broken(lines: &[&str]) -> Vec<RecordedLaw> {
    judged(lines)
        .broken
        .iter()
        .map(|broken| broken.law)
        .collect()
}

fn faults(lines: &str) -> String {
    judge(lines.as_bytes()).unwrap_err().to_string()
}

// Short forms of lines.
macro_rules! line {
    (append $client:literal $event:literal $outcome:literal $($more:literal)?) => {
        concat!(
            r#"{"did":"append","client":""#, $client, r#"","event":""#, $event,
            r#"","outcome":""#, $outcome, r#"""#, $(",", $more,)? "}"
        )
    };
    (start $client:literal $from:literal $($more:literal)?) => {
        concat!(r#"{"did":"start","client":""#, $client, r#"","from":"#, $from, $(",", $more,)? "}")
    };
    (read $client:literal $event:literal $($more:literal)?) => {
        concat!(
            r#"{"did":"read","client":""#, $client, r#"","event":""#, $event, r#"""#,
            $(",", $more,)? "}"
        )
    };
    (lost $client:literal $count:literal) => {
        concat!(r#"{"did":"lost","client":""#, $client, r#"","count":"#, $count, "}")
    };
    (end $client:literal) => {
        concat!(r#"{"did":"end","client":""#, $client, r#""}"#)
    };
}

const A: &str = line!(append "w" "a" "done");
const B: &str = line!(append "w" "b" "done");
const C: &str = line!(append "w" "c" "done");
const OLDEST: &str = line!(start "r" "\"oldest\"" "\"coverage\":\"complete\"");

#[test]
fn whole_history_is_kept() {
    let judgement = judged(&[
        A,
        B,
        OLDEST,
        line!(read "r" "a" "\"number\":1"),
        line!(read "r" "b" "\"number\":2"),
        line!(end "r"),
    ]);
    assert_eq!(judgement.broken, []);
    assert_eq!(
        (judgement.appended, judgement.read, judgement.unknown),
        (2, 2, 0)
    );
}

#[test]
fn two_readers_that_disagree_are_told_with_four_lines() {
    let judgement = judged(&[
        line!(append "w" "a" "done"),
        line!(append "v" "b" "done"),
        line!(append "u" "c" "done"),
        line!(start "r" "\"oldest\""),
        line!(read "r" "a"),
        line!(read "r" "c"),
        line!(read "r" "b"),
        line!(start "s" "\"oldest\""),
        line!(read "s" "b"),
        line!(read "s" "a"),
    ]);
    assert_eq!(judgement.broken.len(), 1, "{judgement}");
    let broken = &judgement.broken[0];
    let mut lines: Vec<_> = broken.lines.iter().map(|witness| witness.line).collect();
    lines.sort_unstable();
    assert_eq!(
        (broken.law, lines),
        (Ordered, vec![5, 7, 9, 10]),
        "{broken}"
    );
}

#[test]
fn order_of_one_writer_counts_and_an_unknown_append_has_none() {
    let reading = [
        line!(start "r" "\"oldest\""),
        line!(read "r" "b"),
        line!(read "r" "a"),
    ];
    assert_eq!(broken(&[&[A, B], &reading[..]].concat()), [Ordered]);
    let unknown = line!(append "w" "a" "unknown");
    assert_eq!(broken(&[&[unknown, B], &reading[..]].concat()), []);
    // Tried again: the first try may have come late.
    assert_eq!(broken(&[&[unknown, B, A], &reading[..]].concat()), []);
    // But what came after the answer came after it.
    assert_eq!(
        broken(&[
            unknown,
            A,
            B,
            line!(start "r" "\"oldest\""),
            line!(read "r" "b"),
            line!(read "r" "a"),
        ]),
        [Ordered]
    );
}

#[test]
fn what_a_client_read_comes_before_what_it_appends() {
    assert_eq!(
        broken(&[
            A,
            line!(start "x" "\"oldest\""),
            line!(read "x" "a"),
            line!(append "x" "d" "done"),
            line!(start "r" "\"oldest\""),
            line!(read "r" "d"),
            line!(read "r" "a"),
        ]),
        [Ordered]
    );
}

#[test]
fn numbers_are_an_order_and_belong_to_one_event() {
    let append = |event: &str, number: u64| {
        format!(
            r#"{{"did":"append","client":"{event}","event":"{event}","outcome":"done","number":{number}}}"#
        )
    };
    let (a, b) = (append("a", 7), append("b", 6));
    let reading = [
        line!(start "r" "\"oldest\""),
        line!(read "r" "a"),
        line!(read "r" "b"),
    ];
    assert_eq!(broken(&[&[&*a, &*b], &reading[..]].concat()), [Ordered]);
    let same = append("b", 7);
    assert_eq!(broken(&[&[&*a, &*same], &reading[..]].concat()), [Unique]);
    let stored_twice = [OLDEST, line!(read "r" "a" "\"number\":8")];
    assert_eq!(broken(&[&[&*a], &stored_twice[..]].concat()), [Unique]);
}

#[test]
fn event_that_comes_twice_is_told() {
    assert_eq!(
        broken(&[
            A,
            OLDEST,
            line!(read "r" "a"),
            line!(read "r" "a"),
            line!(end "r")
        ]),
        [Unique]
    );
}

#[test]
fn event_that_nobody_appended_is_told() {
    let reading = [
        OLDEST,
        line!(read "r" "a"),
        line!(read "r" "b"),
        line!(end "r"),
    ];
    assert_eq!(broken(&[&[A], &reading[..]].concat()), [NothingInvented]);
    let refused = line!(append "w" "b" "refused");
    assert_eq!(
        broken(&[&[A, refused], &reading[..]].concat()),
        [NothingInvented]
    );
    let unknown = line!(append "w" "b" "unknown");
    assert_eq!(broken(&[&[A, unknown], &reading[..]].concat()), []);
}

#[test]
fn loss_in_the_middle_needs_a_word() {
    let reading = |word: &'static [&str]| {
        let start = [A, B, C, OLDEST, line!(read "r" "a")];
        [&start[..], word, &[line!(read "r" "c"), line!(end "r")]].concat()
    };
    assert_eq!(broken(&reading(&[])), [NothingLost]);
    assert_eq!(broken(&reading(&[line!(lost "r" "1")])), []);
    assert_eq!(
        broken(&reading(&[line!(lost "r" "2")])),
        [NothingLost],
        "too much"
    );
    // An append whose end nobody knows may be what was lost as well.
    let unknown = [
        &[line!(append "v" "d" "unknown")],
        &reading(&[line!(lost "r" "2")])[..],
    ];
    assert_eq!(broken(&unknown.concat()), []);
}

#[test]
fn loss_that_only_another_reader_shows_is_told() {
    // Three writers: nothing but the reading of `s` says where `b` belongs.
    let judgement = judged(&[
        line!(append "u" "a" "done"),
        line!(append "v" "b" "done"),
        line!(append "w" "c" "done"),
        line!(start "s" "\"now\""),
        line!(read "s" "a"),
        line!(read "s" "b"),
        line!(read "s" "c"),
        line!(start "r" "\"now\""),
        line!(read "r" "a"),
        line!(read "r" "c"),
    ]);
    assert_eq!(judgement.broken.len(), 1, "{judgement}");
    assert_eq!(judgement.broken[0].law, NothingLost, "{judgement}");
}

#[test]
fn acknowledged_event_that_an_end_does_not_have_is_told() {
    let start = line!(start "r" "\"oldest\"");
    assert_eq!(
        broken(&[A, B, start, line!(read "r" "a"), line!(end "r")]),
        [NothingLost]
    );
    // Without its end it may be on its way.
    assert_eq!(broken(&[A, B, start, line!(read "r" "a")]), []);
    let unknown = line!(append "w" "b" "unknown");
    assert_eq!(
        broken(&[A, unknown, start, line!(read "r" "a"), line!(end "r")]),
        []
    );
}

#[test]
fn resumed_reading_goes_on_where_it_was() {
    let cut = |rest: &'static [&str]| {
        let first = [
            A,
            B,
            C,
            OLDEST,
            line!(read "r" "a"),
            line!(start "r" "{\"after\":\"a\"}"),
        ];
        [&first[..], rest, &[line!(end "r")]].concat()
    };
    assert_eq!(
        broken(&cut(&[line!(read "r" "b"), line!(read "r" "c")])),
        []
    );
    assert_eq!(
        broken(&cut(&[line!(read "r" "c")])),
        [Resumable],
        "one skipped"
    );
    assert_eq!(
        broken(&cut(&[
            line!(read "r" "a"),
            line!(read "r" "b"),
            line!(read "r" "c")
        ])),
        [Resumable],
        "one again"
    );
    assert_eq!(
        broken(&[
            A,
            B,
            C,
            OLDEST,
            line!(read "r" "a"),
            line!(read "r" "b"),
            line!(start "r" "{\"after\":\"b\"}"),
            line!(read "r" "a"),
        ]),
        [Resumable],
        "something from before"
    );
}

#[test]
fn coverage_is_held_to_what_is_there() {
    let reading = |coverage: &str| {
        let start = format!(
            r#"{{"did":"start","client":"r","from":{{"after":"a"}},"coverage":{coverage}}}"#
        );
        let lines = [A, B, C, &start, line!(read "r" "c"), line!(end "r")];
        broken(&lines)
    };
    assert_eq!(reading(r#""complete""#), [CoverageTrue]);
    assert_eq!(reading(r#""truncated""#), []);
    assert_eq!(reading(r#""truncated","missed":1"#), []);
    assert_eq!(reading(r#""truncated","missed":2"#), [CoverageTrue]);
    assert_eq!(reading(r#""foreign""#), []);
    let nothing_missing = line!(start "r" "{\"after\":\"b\"}" "\"coverage\":\"truncated\"");
    assert_eq!(
        broken(&[
            A,
            B,
            C,
            nothing_missing,
            line!(read "r" "c"),
            line!(end "r")
        ]),
        [CoverageTrue]
    );
}

#[test]
fn start_by_version_needs_all_above_it() {
    let a = line!(append "w" "a" "done" "\"version\":5");
    let b = line!(append "w" "b" "done" "\"version\":9");
    let start = line!(start "r" "{\"since\":5}" "\"coverage\":\"complete\"");
    assert_eq!(
        broken(&[a, b, start, line!(read "r" "b"), line!(end "r")]),
        []
    );
    assert_eq!(broken(&[a, b, start, line!(end "r")]), [CoverageTrue]);
}

#[test]
fn broken_input_is_told_by_its_lines() {
    let text = faults(
        &[
            A,
            "not JSON",
            r#"{"did":"append","client":"w","event":"b"}"#,
            r#"{"did":"append","client":"w","event":"b","outcome":"done","colour":"red"}"#,
            r#"{"did":"sleep","client":"w"}"#,
            line!(read "r" "a"),
            line!(append "v" "a" "done"),
            line!(start "r" "{\"after\":\"nowhere\"}"),
            line!(lost "r" "0"),
            line!(end "r"),
            line!(read "r" "a"),
            r#"{"did":"read","client":"r","event":"a","event":"a"}"#,
            r#"{"did":"lost","client":"r","count":18446744073709551616}"#,
        ]
        .join("\n"),
    );
    for (line, part) in [
        (2, "expected"),
        (3, "missing field `outcome`"),
        (4, "unknown field `colour`"),
        (5, "unknown variant `sleep`"),
        (6, "client \"r\" has no `start`"),
        (7, "event \"a\" was appended in line 1 already"),
        (8, "event \"nowhere\" is neither appended nor read anywhere"),
        (9, "a loss of 0 events is none"),
        (11, "had its `end` in line 10"),
        (12, "duplicate field `event`"),
        (13, ""),
    ] {
        let told = text
            .lines()
            .find(|told| told.trim_start().starts_with(&format!("line {line}:")));
        assert!(
            told.is_some_and(|told| told.contains(part)),
            "line {line}: {part}\n{text}"
        );
    }
}

#[test]
fn hostile_input_is_refused_in_bounded_space() {
    assert!(faults("").contains("nothing is appended or read"));
    assert!(faults("\n\n \n").contains("nothing is appended or read"));
    assert!(faults(&"{".repeat(3 << 20)).contains("longer than"));
    assert!(faults(&"[".repeat(100_000)).contains("line 1:"));
    let many = "x\n".repeat(1_000);
    assert!(faults(&many).ends_with("and 980 more"), "{}", faults(&many));
    let text = judge(&b"{\"did\":\"end\",\"client\":\"\xff\"}"[..]).unwrap_err();
    assert_eq!(text.faults[0].0, 1, "{text}");
    // A name cannot write to the terminal.
    let shown = judged(&[
        A,
        B,
        OLDEST,
        line!(read "r" "a"),
        line!(read "r" "\\u001b[2J\\n\\u202e"),
        line!(end "r"),
    ]);
    assert!(
        !shown.to_string().contains(['\u{1b}', '\u{202e}']),
        "{shown}"
    );
}

#[test]
fn program_judges_a_file_and_a_pipe() {
    use std::{
        io::Write as _,
        process::{Command, Stdio},
    };
    let program = env!("CARGO_BIN_EXE_judge-history");
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("h.jsonl");
    std::fs::write(&path, [A, OLDEST, line!(end "r")].join("\n")).unwrap();
    let output = Command::new(program).arg(&path).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(
        text.contains("coverage true is broken: r never got \"a\""),
        "{text}"
    );
    let mut child = Command::new(program)
        .arg("-")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(A.as_bytes()).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let output = Command::new(program)
        .arg(dir.path().join("none"))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
}

// ---- histories of a sound log, and what one change to them breaks ------------------------------

/// What the clients do, step by step, and where the lines of each come in the file.
#[derive(Clone, Debug)]
enum Act {
    Append(u8, u8),
    Start(u8),
    Read(u8),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        4 => (0..3_u8, 0..8_u8).prop_map(|(client, luck)| Act::Append(client, luck)),
        1 => (0..3_u8).prop_map(Act::Start),
        6 => (0..3_u8).prop_map(Act::Read),
    ];
    prop::collection::vec(act, 1..80)
}

struct Reader {
    next: usize,
    last: Option<usize>,
}

/// What three writers and three readers see of a ring of five events.
fn recorded(acts: &[Act]) -> Vec<Vec<Line>> {
    let mut log: Vec<String> = Vec::new();
    let oldest = |log: &Vec<String>| log.len().saturating_sub(5);
    let mut lines = vec![Vec::new(); 6];
    let mut readers: Vec<Option<Reader>> = vec![None, None, None];
    let mut late = VecDeque::new();
    for (number, act) in acts.iter().enumerate() {
        match *act {
            Act::Append(client, luck) => {
                let event = format!("{client}-{number}");
                let outcome = match luck {
                    0 | 1 => Outcome::Unknown,
                    2 => Outcome::Refused,
                    _ => Outcome::Done,
                };
                match luck {
                    0 => late.push_back(event.clone()),
                    1 | 2 => {}
                    _ => log.push(event.clone()),
                }
                // An append that timed out is done at some time.
                if luck == 5 {
                    log.extend(late.pop_front());
                }
                let client = format!("w{client}");
                let (number, version) = (None, None);
                let append = Line::Append {
                    client,
                    event,
                    outcome,
                    number,
                    version,
                };
                lines[usize::from(act.client())].push(append);
            }
            Act::Start(of) => {
                let client = format!("r{of}");
                let oldest = oldest(&log);
                let reader = &mut readers[usize::from(of)];
                let last = reader.as_ref().and_then(|reader| reader.last);
                let missed = oldest.saturating_sub(last.map_or(0, |last| last + 1)) as u64;
                let next = oldest.max(last.map_or(0, |last| last + 1));
                *reader = Some(Reader { next, last });
                lines[3 + usize::from(of)].push(Line::Start {
                    client,
                    from: last.map_or(From::Oldest, |last| From::After(log[last].clone())),
                    coverage: Some(if missed > 0 {
                        Answered::Truncated
                    } else {
                        Answered::Complete
                    }),
                    missed: (missed > 0).then_some(missed),
                });
            }
            Act::Read(of) => {
                let client = format!("r{of}");
                let Some(reader) = &mut readers[usize::from(of)] else {
                    continue;
                };
                let to = &mut lines[3 + usize::from(of)];
                read(reader, &log, oldest(&log), client, to);
            }
        }
    }
    for (of, reader) in readers.iter_mut().enumerate() {
        let (client, to) = (format!("r{of}"), &mut lines[3 + of]);
        if let Some(reader) = reader {
            while read(reader, &log, oldest(&log), client.clone(), to) {}
            to.push(Line::End { client });
        }
    }
    lines
}

fn read(
    reader: &mut Reader,
    log: &[String],
    oldest: usize,
    client: String,
    to: &mut Vec<Line>,
) -> bool {
    let lost = oldest.saturating_sub(reader.next);
    if lost > 0 {
        reader.next = oldest;
        to.push(Line::Lost {
            client: client.clone(),
            count: lost as u64,
        });
    }
    let Some(event) = log.get(reader.next) else {
        return false;
    };
    to.push(Line::Read {
        client,
        event: event.clone(),
        number: Some(reader.next as u64),
    });
    reader.last = Some(reader.next);
    reader.next += 1;
    true
}

impl Act {
    fn client(&self) -> u8 {
        match *self {
            Self::Append(client, _) | Self::Start(client) | Self::Read(client) => client,
        }
    }
}

fn text(lines: &[Vec<Line>], numbers: bool) -> String {
    let lines = lines.iter().flatten().map(|line| match line.clone() {
        Line::Read { client, event, .. } if !numbers => Line::Read {
            client,
            event,
            number: None,
        }
        .to_string(),
        line => line.to_string(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    /// In whatever order the files are joined, and with numbers or without.
    #[test]
    fn sound_log_is_accused_of_nothing(acts in acts(), turn in 0..6_usize, numbers: bool) {
        let mut lines = recorded(&acts);
        lines.rotate_left(turn);
        let text = text(&lines, numbers);
        match judge(text.as_bytes()) {
            Ok(judgement) => prop_assert!(judgement.broken.is_empty(), "{judgement}\n{text}"),
            Err(unreadable) => {
                let told = unreadable.to_string();
                prop_assert!(told.contains("nothing is appended or read"), "{told}\n{text}");
            }
        }
    }

    /// One read line taken out, doubled, or put before the one before it, where the log numbers its
    /// events and a second reader has read all: something is always told.
    #[test]
    fn one_change_breaks_a_law(acts in acts(), at: prop::sample::Index, change in 0..3_u8) {
        let mut lines = recorded(&acts);
        let reads: Vec<usize> = (0..lines[3].len())
            .filter(|at| matches!(lines[3][*at], Line::Read { .. }))
            .collect();
        prop_assume!(reads.len() > 1);
        let at = reads[1 + at.index(reads.len() - 1)];
        let of = &mut lines[3];
        match change {
            0 => {
                // Beside a loss it may be what was told as lost.
                let is_told = matches!(of[at - 1], Line::Read { .. })
                    && matches!(of[at + 1], Line::Read { .. } | Line::End { .. });
                prop_assume!(is_told);
                // What nobody else read and nobody acknowledged may never have been.
                let Line::Read { event, .. } = of.remove(at) else { unreachable!() };
                let is_done = lines.iter().flatten().any(|line| {
                    matches!(line, Line::Append { event: of, outcome: Outcome::Done, .. } if *of == event)
                });
                let is_named = lines.iter().flatten().any(|line| {
                    matches!(line, Line::Start { from: From::After(of), .. } if *of == event)
                });
                prop_assume!(is_done && !is_named);
                // All know where it belongs.
                let whole = recorded(&acts);
                let log: Vec<_> = whole.iter().flatten().filter_map(|line| match line {
                    Line::Read { event, number, .. } => Some((number.unwrap(), event.clone())),
                    _ => None,
                }).collect::<std::collections::BTreeMap<_, _>>().into_iter().collect();
                let client = "all".to_owned();
                let mut all = vec![Line::Start {
                    client: client.clone(), from: From::Now, coverage: None, missed: None,
                }];
                all.extend(log.into_iter().map(|(number, event)| Line::Read {
                    client: client.clone(), event, number: Some(number),
                }));
                lines.push(all);
            }
            1 => {
                let again = of[at].clone();
                of.insert(at, again);
            }
            _ => {
                prop_assume!(matches!(of[at - 1], Line::Read { .. }));
                of.swap(at - 1, at);
            }
        }
        let text = text(&lines, true);
        let judgement = judge(text.as_bytes()).unwrap();
        prop_assert!(!judgement.broken.is_empty(), "{judgement}\n{text}");
    }
}
