//! The launcher's page over a kill of the launcher.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use serde_json::{Value, json};

use crate::chromium::{Browser, Page};

/// Runs until it is killed; where its page is.
fn start(data_dir: &Path) -> (Running, String) {
    let mut target = std::env::current_exe().unwrap();
    target.pop();
    target.pop();
    let mut child = Command::new(target.join("examples/launcher"))
        .args(["--stay", "--no-clients", "--data-dir"])
        .arg(data_dir)
        .args(["--", "sleep 60", "exit 3"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let running = Running(Some(child));
    let mut lines = lines.map(Result::unwrap);
    let page = lines.find(|line| line.starts_with("page "));
    let address = page.unwrap().split_once("http").unwrap().1.to_owned();
    (running, format!("http{address}"))
}

struct Running(Option<Child>);

impl Running {
    fn kill(mut self) {
        let mut child = self.0.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // In order, so that what it started ends too.
        if let Some(mut child) = self.0.take() {
            let pid = child.id().to_string();
            Command::new("kill").args(["-TERM", &pid]).status().ok();
            child.wait().ok();
        }
    }
}

/// Ids and words of the rows, as a person reads them.
const ROWS: &str = "[...document.querySelectorAll('#processes tr')]\
    .map((row) => row.cells[0].textContent + ' ' + row.cells[2].textContent.replace(/[0-9]+$/, '#'))";

/// Whether the page has what the launcher has.
const IS_RIGHT: &str = "(() => { const request = new XMLHttpRequest(); \
    request.open('GET', '/snapshot', false); request.send(); \
    return JSON.stringify(state) === JSON.stringify(JSON.parse(request.response).state) })()";

#[test]
fn the_page_survives_a_kill_of_the_launcher_without_a_wrong_row() {
    let Some(mut browser) = Browser::start() else {
        println!("NOT RUN: the launcher's page in a real browser; `apt-get install chromium`");
        return;
    };
    let directory = tempfile::tempdir().unwrap();
    let (running, address) = start(directory.path());
    let page = browser.open(&address);
    let wait = |browser: &mut Browser, page: &Page, rows: Value| {
        browser.wait_for(page, ROWS, &rows);
        browser.wait_for(page, IS_RIGHT, &json!(true));
    };
    wait(
        &mut browser,
        &page,
        json!(["1 runs as #", "2 exited with #"]),
    );
    browser.value(&page, "document.querySelector('#start').click()");
    let rows = json!(["1 runs as #", "2 exited with #", "3 runs as #"]);
    wait(&mut browser, &page, rows);
    browser.value(&page, "document.querySelector('#processes button').click()");
    let rows = json!(["1 ended by signal #", "2 exited with #", "3 runs as #"]);
    wait(&mut browser, &page, rows);
    let pids = "Object.values(state.processes).map((process) => process.status.running?.pid)";
    let left = browser.value(&page, pids)[2].to_string();

    running.kill();
    let group = format!("-{left}");
    let ended = Command::new("kill").args(["-TERM", "--", &group]).status();
    assert!(ended.unwrap().success(), "what it had started outlives it");
    let (running, again) = start(directory.path());
    assert_eq!(again, address, "so that the page finds it");
    let rows = json!(["3 lost", "4 runs as #", "5 exited with #"]);
    wait(&mut browser, &page, rows);
    let link = "document.querySelector('#link').textContent";
    browser.wait_for(&page, link, &json!("live"));
    let gaps = "document.querySelectorAll('.gap').length";
    assert_eq!(
        browser.value(&page, gaps),
        json!(0),
        "it went on where it was"
    );
    drop(running);
}
