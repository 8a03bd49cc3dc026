//! One who hears a feed, and does not wait for ever.

use std::path::PathBuf;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use eventlog::{Cursor, Start, serve};

use super::http::Http;
use super::items::{Item, Items};
use super::{ANSWER, Served, no_answer};
use crate::at::{At, Line};
use crate::input::{Hear, MAX_LINE_BYTES};
use crate::last_of::LastOf;
use crate::outcome::{Outcome, Stop, warn};
use crate::position::PositionFile;
use crate::row::Said;
use crate::scan::Scan;
use crate::trouble::{Trouble, What};

/// In the midst of what is there already, nobody is silent for so long unless something is wrong.
const SILENCE: Duration = Duration::from_secs(60);
/// How often it is looked whether there is still a connection.
const LOOK: Duration = Duration::from_millis(200);

pub(super) struct Client {
    /// As the file of its lines.
    name: PathBuf,
    remote: Box<dyn Items>,
    waker: Waker,
    /// Whether it goes on with what comes, and so waits for a feed that is not there.
    follows: bool,
    /// When something was heard last.
    heard: Instant,
    /// Why there was no connection right before it was heard that nothing is there: what a server
    /// said before it hung up is heard first.
    trouble: Option<String>,
    /// What was said of a connection that is not there.
    told: Option<String>,
    /// Whether all was heard that was there.
    is_live: bool,
    /// Whether nothing will ever come.
    is_finished: bool,
}

impl Client {
    pub(super) fn connect(served: &Served, start: Start, follows: bool) -> Result<Self, Stop> {
        let name = served.to_string();
        let waker = Waker::from(Arc::new(Unpark(thread::current())));
        let remote = match served {
            Served::Socket(address) => serve::connect(address.clone(), start)
                .map(|remote| -> Box<dyn Items> { Box::new(remote) }),
            Served::Http(url) => Http::connect(url, start, follows, waker.clone())
                .map(|remote| -> Box<dyn Items> { Box::new(remote) }),
        };
        Ok(Self {
            remote: remote.map_err(|error| Stop::NoLog(format!("{name}: {error}")))?,
            name: name.into(),
            waker,
            follows,
            heard: Instant::now(),
            trouble: None,
            told: None,
            is_live: false,
            is_finished: false,
        })
    }

    /// Hands on what was there, and its end.
    pub(super) fn replay(&mut self, to: &mut impl Hear) -> Result<(), Stop> {
        while !self.is_live && !self.is_finished {
            if !self.hear(to)? {
                self.wait()?;
            }
        }
        Ok(())
    }

    /// Of that the last so many, also where it breaks off.
    pub(super) fn replay_last(&mut self, wanted: usize, scan: &mut Scan) -> Result<(), Stop> {
        let mut last = LastOf::new(wanted, scan);
        let heard = self.replay(&mut last);
        last.show()?;
        heard
    }

    /// Hands on all that comes: first the output, then the position after it.
    pub(super) fn run(
        &mut self,
        scan: &mut Scan,
        mut file: Option<&mut PositionFile<Cursor>>,
    ) -> Result<Outcome, Stop> {
        let mut is_idle = false;
        loop {
            let mut outcome = scan.is_done();
            if self.is_finished || (self.is_live && !self.follows) {
                outcome = outcome.or(Some(scan.found.outcome_of_showing()));
            }
            if is_idle || outcome.is_some() || file.is_some() {
                scan.printer.finish(&scan.clock)?;
            }
            if let (Some(file), Some(cursor)) = (&mut file, self.remote.cursor()) {
                file.write(cursor)?;
            }
            if let Some(outcome) = outcome {
                return Ok(outcome);
            }
            if is_idle {
                self.wait()?;
            }
            is_idle = !self.hear(scan)?;
        }
    }

    /// Hands on the next, if there is one already.
    fn hear(&mut self, to: &mut impl Hear) -> Result<bool, Stop> {
        let mut context = Context::from_waker(&self.waker);
        self.trouble = self.remote.trouble();
        match self.remote.poll(&mut context) {
            Poll::Ready(Some(Ok(item))) => {
                self.heard = Instant::now();
                self.hand_on(item, to)?;
            }
            Poll::Ready(Some(Err(why))) => return Err(self.stop(&why)),
            Poll::Ready(None) => self.is_finished = true,
            Poll::Pending => return Ok(false),
        }
        Ok(true)
    }

    fn hand_on(&mut self, item: Item, to: &mut impl Hear) -> Result<(), Stop> {
        match item {
            Item::Event { cursor, bytes } => {
                let address = &self.name;
                let at = At::Feed { address, cursor };
                let bytes = &bytes;
                to.line(Line { at, bytes })
            }
            Item::TooLong { cursor, len } => to.trouble(self.too_long(cursor, len), &[]),
            Item::Word(word) => {
                self.is_live |= matches!(word.said, Said::Live);
                to.word(word)
            }
        }
    }

    fn too_long(&self, cursor: Cursor, len: u64) -> Trouble {
        let text = format!(
            "the event before the cursor {cursor} is longer than {MAX_LINE_BYTES} bytes; it was \
             skipped"
        );
        Trouble {
            file: self.name.clone(),
            line: None,
            offset: 0,
            len,
            what: What::TooLong,
            text,
        }
    }

    /// Waits a while for what comes, if that may still be.
    fn wait(&mut self) -> Result<(), Stop> {
        if self.follows && self.trouble != self.told {
            if let Some(why) = &self.trouble {
                warn(&format!("{}: {why}; trying again", self.name.display()));
            }
            self.told.clone_from(&self.trouble);
        }
        if let Some(why) = self.hopeless() {
            return Err(self.stop(&why));
        }
        thread::park_timeout(LOOK);
        Ok(())
    }

    /// Why there is nothing to wait for, if so.
    fn hopeless(&self) -> Option<String> {
        // The server has said where this stands.
        let is_open = self.remote.cursor().is_some();
        let silent = self.heard.elapsed();
        match &self.trouble {
            Some(_) if self.follows => None,
            Some(why) => (!is_open || silent > ANSWER).then(|| why.clone()),
            None if !is_open => (silent > ANSWER).then(no_answer),
            None => (!self.follows && silent > SILENCE).then(|| {
                let seconds = SILENCE.as_secs();
                format!("nothing was heard for {seconds} seconds, and not all that is there")
            }),
        }
    }

    fn stop(&self, why: &str) -> Stop {
        Stop::NoLog(format!("{}: {why}", self.name.display()))
    }
}

/// Wakes the thread that waits.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::Visit;
    use crate::row::Word;

    /// A server that says all of this and hangs up, right after it is seen that nothing is there.
    struct AtOnce(Option<Vec<Word>>, Option<Cursor>);

    impl Items for AtOnce {
        fn poll(&mut self, _: &mut Context<'_>) -> Poll<Option<Result<Item, String>>> {
            let Self(Some(words), cursor) = self else {
                self.0 = Some(vec![Word {
                    said: Said::Live,
                    cursor: "9f86d081884c7d65.1.1".parse().unwrap(),
                    newest: None,
                }]);
                return Poll::Pending;
            };
            words.pop().map_or(Poll::Pending, |word| {
                *cursor = Some(word.cursor);
                Poll::Ready(Some(Ok(Item::Word(word))))
            })
        }

        fn cursor(&self) -> Option<Cursor> {
            self.1
        }

        fn trouble(&self) -> Option<String> {
            self.0.is_some().then(|| "the connection was lost".into())
        }
    }

    #[derive(Default)]
    struct Ears {
        words: usize,
    }

    impl Visit for Ears {
        fn line(&mut self, _: Line<'_>) -> Result<(), Stop> {
            unreachable!("no event is told")
        }

        fn trouble(&mut self, _: Trouble, _: &[u8]) -> Result<(), Stop> {
            unreachable!("no trouble is told")
        }
    }

    impl Hear for Ears {
        fn word(&mut self, _: Word) -> Result<(), Stop> {
            self.words += 1;
            Ok(())
        }
    }

    /// It was left as one that had said nothing.
    #[test]
    fn what_a_server_said_before_it_hung_up_is_heard_first() {
        let mut client = Client {
            name: "tcp:somewhere:1".into(),
            remote: Box::new(AtOnce(None, None)),
            waker: Waker::noop().clone(),
            follows: false,
            heard: Instant::now(),
            trouble: None,
            told: None,
            is_live: false,
            is_finished: false,
        };
        let mut ears = Ears::default();
        client.replay(&mut ears).unwrap();
        assert_eq!(ears.words, 1);
    }
}
