//! The supervised processes.

use std::{os::unix::process::ExitStatusExt, process::Stdio, sync::Arc, time::Duration};

use tokio::{
    process::{Child, Command},
    task::JoinSet,
    time::sleep,
};

use crate::{
    event::{Event, Phase},
    reducer::Reducer,
};

/// Between two starts, as a launcher does that does not want to load the machine at once.
const STAGGER: Duration = Duration::from_millis(5);

/// Runs every command to its end, and reports each step.
pub async fn supervise(reducer: &Arc<Reducer>, commands: &[String]) {
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
        if let Some(child) = spawn(reducer, id, command) {
            children.spawn(wait(reducer.clone(), id, child));
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

async fn wait(reducer: Arc<Reducer>, id: u64, mut child: Child) {
    let (code, signal) = match child.wait().await {
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
