//! Requests to stop that come from outside.

use std::io;

use tokio::{
    select,
    signal::unix::{SignalKind, signal},
    sync::watch,
};

/// Turns true when the launcher is asked to end: Ctrl-C, SIGTERM, or a terminal that went.
pub fn stop_requests() -> io::Result<watch::Receiver<bool>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    let (stop, requests) = watch::channel(false);
    tokio::spawn(async move {
        select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
        stop.send_replace(true);
    });
    Ok(requests)
}
