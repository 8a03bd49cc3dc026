//! Debian's Chromium without a window, driven over the pipes of its protocol.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tempfile::TempDir;

/// However busy the machine is, a browser that works has done by then what it is asked.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Browser {
    child: Child,
    says: BufReader<ChildStdout>,
    hears: ChildStdin,
    next_id: u64,
    _profile: TempDir,
}

/// A page, by the id of its session.
pub struct Page(String);

impl Browser {
    /// `None` where there is no Chromium.
    pub fn start() -> Option<Self> {
        let found = Command::new("chromium").arg("--version").output();
        if !found.is_ok_and(|output| output.status.success()) {
            return None;
        }
        let profile = tempfile::tempdir().unwrap();
        // It speaks on the descriptors 3 and 4.
        let command = "exec chromium --headless --no-sandbox --disable-gpu --disable-dev-shm-usage \
                       --no-first-run --remote-debugging-pipe --user-data-dir=\"$0\" about:blank \
                       3<&0 4>&1 0</dev/null 1>/dev/null 2>/dev/null";
        let mut child = Command::new("sh")
            .args(["-c", command])
            .arg(profile.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let says = BufReader::new(child.stdout.take().unwrap());
        let hears = child.stdin.take().unwrap();
        Some(Self {
            child,
            says,
            hears,
            next_id: 0,
            _profile: profile,
        })
    }

    pub fn open(&mut self, address: &str) -> Page {
        let target = self.ask(None, "Target.createTarget", &json!({"url": address}));
        let session = json!({"targetId": target["targetId"], "flatten": true});
        let session = self.ask(None, "Target.attachToTarget", &session);
        Page(session["sessionId"].as_str().unwrap().to_owned())
    }

    /// A picture of the page, as PNG in base64.
    pub fn picture(&mut self, page: &Page, width: u32, height: u32) -> String {
        let size = json!({
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false
        });
        self.ask(Some(page), "Emulation.setDeviceMetricsOverride", &size);
        let picture = self.ask(
            Some(page),
            "Page.captureScreenshot",
            &json!({"format": "png"}),
        );
        picture["data"].as_str().unwrap().to_owned()
    }

    pub fn reload(&mut self, page: &Page) {
        self.ask(Some(page), "Page.reload", &json!({}));
    }

    /// The value of an expression in the page.
    pub fn value(&mut self, page: &Page, expression: &str) -> Value {
        let what = json!({"expression": expression, "returnByValue": true});
        let result = self.ask(Some(page), "Runtime.evaluate", &what);
        result["result"]["value"].clone()
    }

    /// Waits until the expression is what it should be, and tells what it was if it never is.
    pub fn wait_for(&mut self, page: &Page, expression: &str, wanted: &Value) {
        let began = Instant::now();
        loop {
            let value = self.value(page, expression);
            if value == *wanted {
                return;
            }
            assert!(
                began.elapsed() < PATIENCE,
                "`{expression}` stays {value}, and not {wanted}"
            );
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn ask(&mut self, page: Option<&Page>, method: &str, params: &Value) -> Value {
        self.next_id += 1;
        let mut message = json!({"id": self.next_id, "method": method, "params": params});
        if let Some(Page(session)) = page {
            message["sessionId"] = json!(session);
        }
        self.hears
            .write_all(message.to_string().as_bytes())
            .unwrap();
        self.hears.write_all(b"\0").unwrap();
        loop {
            let mut answer = Vec::new();
            self.says.read_until(0, &mut answer).unwrap();
            assert_eq!(answer.pop(), Some(0), "the browser has ended");
            let answer: Value = serde_json::from_slice(&answer).unwrap();
            if answer["id"] == self.next_id {
                assert!(answer["error"].is_null(), "{method}: {answer}");
                return answer["result"].clone();
            }
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Its other processes end when it does.
        let close = json!({"id": 0, "method": "Browser.close"}).to_string();
        let closed = self.hears.write_all(format!("{close}\0").as_bytes());
        if closed.is_err() {
            self.child.kill().ok();
        }
        self.child.wait().ok();
    }
}
