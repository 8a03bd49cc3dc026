//! Tasks that follow a log; one of them is cut off and comes back:
//! `cargo run --example async_subscriber`.

use std::sync::Arc;

use eventlog::{Cursor, EventLog, EventRef, RecvError, Start, Versioned};

#[derive(Versioned)]
struct Tick {
    version: u64,
}

/// Follows to the end, or up to that many events. Says how many there were, and where it stands.
async fn follow(log: Arc<EventLog<Tick>>, start: Start, most: usize) -> (usize, Cursor) {
    let mut subscription = log.subscribe(start);
    if !subscription.coverage().is_complete() {
        println!("something is missing: here a snapshot would be fetched");
    }
    let mut seen = 0;
    while seen < most {
        match subscription.recv().await {
            Ok(event) => {
                seen += 1;
                if EventRef::seq(&event).get() % 1000 == 0 {
                    println!("version {}", event.version);
                }
            }
            Err(RecvError::Lagged(events)) => println!("too slow: {events} events are gone"),
            Err(RecvError::Closed) => break,
        }
    }
    (seen, subscription.cursor())
}

#[tokio::main]
async fn main() -> Result<(), tokio::task::JoinError> {
    let log = Arc::new(EventLog::new(None));
    let steady = tokio::spawn(follow(log.clone(), Start::Oldest, usize::MAX));
    let cut_off = tokio::spawn(follow(log.clone(), Start::Oldest, 700));
    for version in 1..=3000 {
        log.append(Tick { version });
        tokio::task::yield_now().await;
    }
    let (before, place) = cut_off.await?;
    let again = tokio::spawn(follow(log.clone(), Start::Cursor(place), usize::MAX));
    log.close();
    let ((all, _), (after, _)) = (steady.await?, again.await?);
    println!("steady: {all} events; cut off: {before} before it, {after} after it");
    assert_eq!((all, before + after), (3000, 3000));
    Ok(())
}
