//! What somebody hostile may have written.

use std::ffi::OsStr;
use std::fs;
use std::io::{BufWriter, Write};

use crate::{Log, on_a_terminal, run, show, tick, tool};

/// Escapes that clear the screen, set its title or answer as if typed; C1 controls; characters that
/// turn the direction of text, or cannot be seen.
const HOSTILE: &[u8] = b"{\"type\":\"\xc2\x9b2J\",\"version\":1,\"a\xe2\x80\xaeb\":\"x\xe2\x80\xaegpj.exe\xc2\x9d0;t\"}\n\
{\"type\":\"esc\",\"version\":2,\"s\":\"\\u001b[2J\",\"z\":\"a\xe2\x80\x8bb\xf3\xa0\x81\x81\"}\n\
raw \x1b]0;title\x07 \x1b[2J \xff\xfe \x9b31m\n\
{\"type\":\"torn \x1b[6n \xc2\x9b";

fn harmful(text: &str) -> Vec<char> {
    let colours = text.replace("\x1b[", "");
    let harmful = |c: &char| {
        (c.is_control() && *c != '\n')
            || matches!(*c, '\u{202e}' | '\u{200b}' | '\u{e0041}' | '\u{9b}')
    };
    colours.chars().filter(harmful).collect()
}

#[test]
fn no_escape_of_a_log_reaches_the_terminal() {
    let log = Log::of(HOSTILE);
    let path = log.path();
    for flags in [
        &["-n", "all"][..],
        &["-o", "json", "-n", "all"],
        &["-o", "raw", "-n", "all"],
    ] {
        let args: Vec<_> = [&["show", "--color", "never"], flags].concat();
        let args: Vec<_> = args
            .iter()
            .map(OsStr::new)
            .chain([path.as_os_str()])
            .collect();
        let Some(shown) = on_a_terminal(200, &args) else {
            return;
        };
        assert!(!shown.contains('\x1b'), "{flags:?}: {shown:?}");
        assert_eq!(harmful(&shown), Vec::<char>::new(), "{flags:?}: {shown:?}");
        assert!(
            shown.contains("gpj.exe"),
            "it is shown all the same: {shown}"
        );
    }
    for command in ["verify", "stats", "repair"] {
        let shown = run(command, &[], &path);
        assert_eq!(
            harmful(&(shown.out + &shown.err)),
            Vec::<char>::new(),
            "{command}"
        );
    }
    let template = ["show", "--template", "{type} {json}", "-n", "all"].map(OsStr::new);
    let Some(shown) = on_a_terminal(200, &[&template[..], &[path.as_os_str()]].concat()) else {
        return;
    };
    assert_eq!(harmful(&shown), Vec::<char>::new(), "{shown:?}");
}

/// Also in a pipe a table is for people, who look at it with `less -R`.
#[test]
fn no_escape_of_a_log_is_in_a_table() {
    let log = Log::of(HOSTILE);
    assert_eq!(harmful(&show(&["-n", "all"], &log).out), Vec::<char>::new());
}

#[test]
fn the_name_of_a_file_is_made_harmless_too() {
    let log = Log::of("");
    let path = log.file("a\x1b[2J.log");
    fs::write(&path, "oops\n").unwrap();
    for command in ["show", "verify", "stats", "repair"] {
        let ran = run(command, &[], &path);
        assert!(!(ran.out + &ran.err).contains('\x1b'), "{command}");
    }
    let missing = run("show", &[], &log.file("b\x1b[2J.log"));
    assert!(!missing.err.contains('\x1b'), "{missing:?}");
}

#[test]
fn rows_fit_into_the_terminal() {
    let wide = "日本語".repeat(40);
    let marks = "e\u{301}".repeat(500);
    let lines = [
        format!("{{\"type\":\"wide\",\"version\":1,\"s\":\"{wide}\"}}\n"),
        format!("{{\"type\":\"marks\",\"version\":2,\"s\":\"{marks}\"}}\n"),
        format!("{{\"type\":\"{wide}\",\"version\":18446744073709551615}}\n"),
        format!("oops {wide}\n"),
        tick(3),
    ];
    let log = Log::of(lines.concat());
    let path = log.path();
    let args = ["show", "--color", "never"].map(OsStr::new);
    let args = [&args[..], &[path.as_os_str()]].concat();
    for columns in [40, 80, 132] {
        let Some(shown) = on_a_terminal(columns, &args) else {
            return;
        };
        for line in shown.lines().filter(|line| !line.starts_with("eventlog:")) {
            let width = unicode_width::UnicodeWidthStr::width(line);
            assert!(width <= columns as usize, "{columns}: {width}: {line}");
        }
        assert!(shown.contains('…') && shown.contains("tick"), "{shown}");
    }
}

/// A file of one line of 100 MiB is damage, and takes no memory.
#[test]
#[cfg(target_os = "linux")]
fn a_line_of_100_mebibytes_takes_no_memory() {
    let log = Log::of("");
    {
        let mut file = BufWriter::new(fs::File::create(log.path()).unwrap());
        file.write_all(tick(1).as_bytes()).unwrap();
        let piece = vec![b'x'; 1 << 20];
        for _ in 0..100 {
            file.write_all(&piece).unwrap();
        }
        file.write_all(b"\n").unwrap();
        file.write_all(tick(2).as_bytes()).unwrap();
    }
    let path = log.path();
    for (command, flags) in [
        ("show", &["-n", "all"][..]),
        ("show", &["-n", "1"]),
        ("show", &["-n", "20"]),
        ("show", &["--type", "tick"]),
        ("tail", &[]),
        ("verify", &[]),
        ("stats", &[]),
        ("repair", &[]),
    ] {
        // 200 MiB of addresses, of which the program itself takes some: no room for the line twice.
        let limited = "ulimit -v 204800; exec \"$0\" \"$@\"";
        let program = tool();
        let ran = std::process::Command::new("sh")
            .args(["-c", limited])
            .arg(program.get_program())
            .arg(command)
            .args(flags)
            .arg(&path)
            .output()
            .unwrap();
        let ran = crate::Ran::from(ran);
        assert!(
            matches!(ran.code, Some(0 | 3)),
            "{command} {flags:?}: {ran:?}"
        );
    }
    let shown = show(&["-n", "all"], &log);
    assert!(
        shown.out.contains("the line is longer than 16777216 bytes"),
        "{}",
        shown.out
    );
    assert!(shown.out.contains("1  tick") && shown.out.contains("2  tick"));
}

#[test]
fn nothing_is_too_deep_or_too_much() {
    let deep = "[".repeat(100_000);
    let keys = "\"k\":0,".repeat(100_000);
    let log = Log::of(format!(
        "{deep}\n{{{keys}\"version\":2,\"type\":\"many\"}}\n{}",
        tick(3)
    ));
    let shown = show(&["-n", "all"], &log);
    assert_eq!(shown.code, Some(0));
    assert!(
        shown.out.contains("many") && shown.out.contains("more fields"),
        "{}",
        shown.out
    );
}

/// What a line is, is found behind all other fields. What is called so again and again is counted.
#[test]
fn type_and_version_are_found_behind_many_fields() {
    let others: Vec<_> = (1..=64).map(|n| format!("\"f{n}\":0")).collect();
    let others = others.join(",");
    let like = "\"t\":0,\"op\":0,\"v\":null";
    let log = Log::of(format!(
        "{{{others},{like},\"type\":\"up\",\"version\":1}}\n{{{others}{}}}\n",
        ",\"t\":0".repeat(65)
    ));
    let first = show(&["-g", "version", "--template", "{type} {version}"], &log);
    assert_eq!(first.out, "up 1\n");
    let table = show(&[], &log).out;
    assert!(table.ends_with("t=0 and 1 more field\n"), "{table}");
}
