//! The supervised processes.

use std::{os::unix::process::ExitStatusExt, process::Stdio, sync::Arc, time::Duration};

use tokio::{
    process::{Child, Command},
    select,
    sync::watch,
    task::JoinSet,
    time::{sleep, timeout},
};

use crate::{
    event::{Event, Phase},
    reducer::Reducer,
};

/// Between two starts, as a launcher does that does not want to load the machine at once.
const STAGGER: Duration = Duration::from_millis(5);

/// How long a process may take to end by itself when the launcher is told to stop.
const GRACE: Duration = Duration::from_secs(1);

/// Runs every command to its end, and reports each step. Once `stop` is true no more are started,
/// and those that run are ended.
pub async fn supervise(reducer: &Arc<Reducer>, commands: &[String], stop: &watch::Receiver<bool>) {
    change_phase(reducer, Phase::Starting);
    for id in reducer.state().running() {
        reducer.change(|_, version| Event::ProcessLost { id, version });
    }
    let first_id = reducer
        .state()
        .processes
        .keys()
        .last()
        .map_or(1, |id| id + 1);
    let mut children = JoinSet::new();
    change_phase(reducer, Phase::Running);
    for (id, command) in (first_id..).zip(commands) {
        if *stop.borrow() {
            break;
        }
        if let Some(child) = spawn(reducer, id, command) {
            children.spawn(wait(reducer.clone(), id, child, stop.clone()));
        }
        sleep(STAGGER).await;
    }
    change_phase(reducer, Phase::Draining);
    children.join_all().await;
    change_phase(reducer, Phase::Stopped);
}

fn change_phase(reducer: &Reducer, to: Phase) {
    reducer.change(|state, version| Event::PhaseChanged {
        from: state.phase,
        to,
        version,
    });
}

fn spawn(reducer: &Reducer, id: u64, command: &str) -> Option<Child> {
    let spawned = Command::new("sh")
        .args(["-c", command])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // A group of its own, so that it can be ended together with what it starts.
        .process_group(0)
        .kill_on_drop(true)
        .spawn();
    let command = command.to_owned();
    match spawned {
        Ok(child) => {
            let pid = child.id().unwrap_or_default();
            reducer.change(|_, version| Event::ProcessSpawned {
                id,
                pid,
                command,
                version,
            });
            Some(child)
        }
        Err(error) => {
            let error = error.to_string();
            reducer.change(|_, version| Event::SpawnFailed {
                id,
                command,
                error,
                version,
            });
            None
        }
    }
}

async fn wait(reducer: Arc<Reducer>, id: u64, mut child: Child, mut stop: watch::Receiver<bool>) {
    let ended = select! {
        ended = child.wait() => ended,
        () = stopped(&mut stop) => {
            signal_group(&child, "TERM").await;
            if timeout(GRACE, child.wait()).await.is_err() {
                signal_group(&child, "KILL").await;
            }
            child.wait().await
        }
    };
    let (code, signal) = match ended {
        Ok(status) => (status.code(), status.signal()),
        Err(_) => (None, None),
    };
    reducer.change(|_, version| Event::ProcessExited {
        id,
        code,
        signal,
        version,
    });
}

async fn stopped(stop: &mut watch::Receiver<bool>) {
    stop.wait_for(|stop| *stop).await.ok();
}

/// Sends a signal to a process that has not been waited for, and to all that it started.
async fn signal_group(child: &Child, signal: &str) {
    if let Some(pid) = child.id() {
        let kill = format!("kill -{signal} -{pid}");
        Command::new("sh")
            .args(["-c", &kill])
            .stderr(Stdio::null())
            .status()
            .await
            .ok();
    }
}
