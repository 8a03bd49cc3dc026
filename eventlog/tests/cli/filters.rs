//! Filters.

use crate::{Log, show, tick, versions};

fn mixed() -> Log {
    let line = |n: u64| {
        let kind = ["up", "down", "failed"][usize::try_from(n % 3).unwrap()];
        format!(
            "{{\"type\":\"{kind}\",\"pid\":{},\"version\":{n}}}\n",
            700 + n
        )
    };
    Log::of((1..=30).map(line).collect::<String>())
}

/// The write-ahead log of etcd is dumped by `-entry-type`, because nobody looks for all of it.
#[test]
fn types_are_chosen_by_name_and_all_of_them_are_shown() {
    let log = mixed();
    assert_eq!(
        versions(&["--type", "up"], &log),
        [3, 6, 9, 12, 15, 18, 21, 24, 27, 30]
    );
    assert_eq!(versions(&["-t", "up,failed"], &log).len(), 20);
    assert_eq!(
        versions(&["-t", "up", "-t", "down", "-n", "3"], &log),
        [27, 28, 30]
    );
    assert_eq!(
        versions(&["-t", "u"], &log),
        [0; 0],
        "a type is its whole name"
    );
}

#[test]
fn a_type_is_no_text_that_stands_somewhere_else() {
    let log = Log::of(
        r#"{"type":"note","text":"up","up":"up","version":1}
{"up":{"version":2}}
{"text":"\"type\":\"up\"","type":"note","version":3}
{"version":4,"type":"up"}
"#,
    );
    assert_eq!(versions(&["-t", "up"], &log), [2, 4]);
    assert_eq!(versions(&["-t", "up", "-n", "2"], &log), [2, 4]);
}

/// The last twenty are enough only for those who ask for nothing.
#[test]
fn any_filter_shows_all_that_it_lets_pass() {
    let log = Log::ticks(1..=50);
    for filter in [
        ["-t", "tick"],
        ["-g", "tick"],
        ["--since", "1"],
        ["--until", "50"],
    ] {
        assert_eq!(versions(&filter, &log).len(), 50, "{filter:?}");
    }
}

#[test]
fn a_type_that_json_spells_otherwise_is_found() {
    let log = Log::of(
        r#"{"type":"a\"b","version":1}
{"type":"caf\u00e9","version":2}
{"type":"x","version":3}
"#,
    );
    assert_eq!(versions(&["-t", "a\"b"], &log), [1]);
    assert_eq!(versions(&["-t", "café"], &log), [2]);
}

#[test]
fn a_pattern_is_looked_for_in_the_whole_line() {
    let log = mixed();
    assert_eq!(versions(&["-g", "\"pid\":70[12]"], &log), [1, 2]);
    assert_eq!(
        versions(&["-g", "70[1-9]", "-t", "up", "-n", "2"], &log),
        [6, 9]
    );
    assert_eq!(show(&["-g", "("], &log).code, Some(2));
}

#[test]
fn versions_bound_a_range_and_are_in_it() {
    let log = mixed();
    assert_eq!(versions(&["--since", "28"], &log), [28, 29, 30]);
    assert_eq!(versions(&["--until", "2"], &log), [1, 2]);
    assert_eq!(
        versions(&["--since", "5", "--until", "9", "-n", "2"], &log),
        [8, 9]
    );
    assert_eq!(
        versions(&["--since", "5", "--until", "9", "-t", "up"], &log),
        [6, 9]
    );
}

/// Versions that fall: the range is of versions, not of places.
#[test]
fn versions_may_fall() {
    let log = Log::of([5, 6, 1, 2, 7].map(tick).concat());
    assert_eq!(versions(&["--since", "5"], &log), [5, 6, 7]);
    assert_eq!(versions(&["--since", "2", "--until", "5"], &log), [5, 2]);
}

#[test]
fn a_gap_is_told_where_its_versions_are() {
    let gap =
        r#"{"eventlog":{"gap":{"count":3,"min_version":2,"max_version":4,"reason":"backlog"}}}"#;
    let log = Log::of(format!("{}{gap}\n{}", tick(1), tick(5)));
    let tells = |flags: &[&str]| show(flags, &log).out.contains("3 events never written");
    assert!(tells(&["--since", "4"]) && tells(&["--until", "2"]) && tells(&["-t", "tick"]));
    assert!(!tells(&["--since", "5"]) && !tells(&["--until", "1"]));
}

#[test]
fn lines_around_a_match_are_shown_once() {
    let log = mixed();
    let flags = |flags: &[&str]| versions(flags, &log);
    assert_eq!(
        flags(&["-g", "\"version\":10}", "-C", "2"]),
        [8, 9, 10, 11, 12]
    );
    assert_eq!(
        flags(&["-g", "\"version\":1[02]}", "-C", "2"]),
        [8, 9, 10, 11, 12, 13, 14]
    );
    assert_eq!(flags(&["-t", "up", "-n", "1", "-C", "3"]), [27, 28, 29, 30]);
    let table = show(&["-g", "\"version\":(5|15)}", "-C", "1"], &log);
    assert_eq!(
        table.out.lines().filter(|line| *line == "--").count(),
        1,
        "{}",
        table.out
    );
}

/// However many were asked for, and however long they are.
#[test]
fn lines_before_a_match_are_shown_up_to_4_mebibytes() {
    let line = |n: u64| {
        let begin = format!("{{\"type\":\"long\",\"version\":{n},\"s\":\"");
        let filler = "x".repeat((1 << 20) - begin.len() - 2);
        begin + &filler + "\"}\n"
    };
    let log = Log::of((1..=9).map(line).collect::<String>() + &tick(10));
    assert_eq!(versions(&["-t", "tick", "-C", "9"], &log), [6, 7, 8, 9, 10]);
    assert_eq!(versions(&["-t", "tick", "-C", "2"], &log), [8, 9, 10]);
}

/// Events came in no order of time, and a null for a time ended the command
/// (kubernetes/kubernetes#29838, #36304).
#[test]
fn events_come_in_the_order_of_the_log_whatever_their_times() {
    let log = Log::of(
        r#"{"type":"a","version":1,"time":"2026-11-26T14:03:09Z"}
{"type":"b","version":2,"time":null}
{"type":"c","version":3,"time":"2026-11-26T14:03:07Z"}
{"type":"d","version":4,"time":"yesterday"}
{"type":"e","version":5}
"#,
    );
    assert_eq!(versions(&[], &log), [1, 2, 3, 4, 5]);
    let table = show(&[], &log);
    assert!(
        table.out.contains("14:03:09.000        1  a"),
        "{}",
        table.out
    );
    // What nobody knows the time of is shown rather than hidden.
    assert_eq!(
        versions(&["--since", "2026-11-26T14:03:08Z"], &log),
        [1, 2, 4, 5]
    );
    assert_eq!(
        versions(&["--until", "2026-11-26T14:03:08Z"], &log),
        [2, 3, 4, 5]
    );
    // Also in the form that shows no times.
    let raw = show(&["-o", "raw", "--since", "2026-11-26T14:03:08Z"], &log).out;
    assert!(raw.lines().count() == 4 && !raw.contains("\"c\""), "{raw}");
    assert_eq!(
        versions(&["--since", "2026-11-26T14:03:08Z", "-n", "2"], &log),
        [4, 5]
    );
}

#[test]
fn fields_are_called_as_the_user_says() {
    let log = Log::of(
        r#"{"type":"x","what":"up","n":7,"when":1795698187,"version":1}
{"type":"up","what":"down","n":8,"when":1795698190,"version":2}
"#,
    );
    let template = |flags: &[&str]| {
        let flags = [flags, &["--template", "{type}{version}", "--utc"]].concat();
        show(&flags, &log).out
    };
    assert_eq!(template(&["--type-field", "what", "-t", "up"]), "up1\n");
    assert_eq!(template(&["--version-field", "n", "--since", "8"]), "up8\n");
    assert_eq!(
        template(&["--time-field", "when", "--since", "2026-11-26T13:03:08Z"]),
        "up2\n"
    );
}
