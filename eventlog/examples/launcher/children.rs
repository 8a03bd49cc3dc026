//! The supervised processes.

use std::{
    collections::BTreeMap, os::unix::process::ExitStatusExt, process::Stdio, sync::Arc,
    time::Duration,
};

use tokio::{
    process::{Child, Command},
    select,
    sync::{mpsc, oneshot, watch},
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

/// How many may run at the same time for those who ask for more.
const MOST: usize = 100;

/// What somebody wants while the launcher runs.
#[cfg_attr(not(feature = "axum"), expect(dead_code, reason = "the page wants it"))]
pub enum Order {
    Start(String),
    Stop(u64),
}

/// Whom the launcher listens to.
pub struct Wishes {
    /// Once it is true no more are started, and those that run are ended.
    pub stop: watch::Receiver<bool>,
    pub orders: mpsc::Receiver<Order>,
    /// Whether it goes on until it is stopped.
    pub stay: bool,
}

/// Runs every command to its end, and reports each step.
pub async fn supervise(reducer: &Arc<Reducer>, commands: &[String], wishes: Wishes) {
    let Wishes {
        mut stop,
        mut orders,
        stay,
    } = wishes;
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
    let mut children = Children {
        reducer: reducer.clone(),
        stop: stop.clone(),
        next_id: first_id,
        tasks: JoinSet::new(),
        own_stops: BTreeMap::new(),
    };
    change_phase(reducer, Phase::Running);
    for command in commands {
        if *stop.borrow() {
            break;
        }
        children.start(command);
        sleep(STAGGER).await;
    }
    if stay {
        children.serve(&mut stop, &mut orders).await;
    }
    change_phase(reducer, Phase::Draining);
    children.tasks.join_all().await;
    change_phase(reducer, Phase::Stopped);
}

struct Children {
    reducer: Arc<Reducer>,
    stop: watch::Receiver<bool>,
    next_id: u64,
    tasks: JoinSet<()>,
    /// By which one of them alone is ended.
    own_stops: BTreeMap<u64, oneshot::Sender<()>>,
}

impl Children {
    /// Does what is wanted until it is told to stop.
    async fn serve(
        &mut self,
        stop: &mut watch::Receiver<bool>,
        orders: &mut mpsc::Receiver<Order>,
    ) {
        loop {
            select! {
                () = stopped(stop) => return,
                Some(order) = orders.recv() => self.obey(order),
                Some(_) = self.tasks.join_next() => {}
                else => return,
            }
        }
    }

    fn obey(&mut self, order: Order) {
        match order {
            Order::Start(command) if self.tasks.len() < MOST => self.start(&command),
            Order::Start(_) => {}
            Order::Stop(id) => drop(self.own_stops.remove(&id).map(|own| own.send(()))),
        }
    }

    fn start(&mut self, command: &str) {
        let id = self.next_id;
        self.next_id += 1;
        if let Some(child) = spawn(&self.reducer, id, command) {
            let (own, own_stop) = oneshot::channel();
            self.own_stops.retain(|_, own| !own.is_closed());
            self.own_stops.insert(id, own);
            let (reducer, stop) = (self.reducer.clone(), self.stop.clone());
            self.tasks.spawn(wait(reducer, id, child, stop, own_stop));
        }
    }
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

async fn wait(
    reducer: Arc<Reducer>,
    id: u64,
    mut child: Child,
    mut stop: watch::Receiver<bool>,
    own_stop: oneshot::Receiver<()>,
) {
    let asked = async {
        select! {
            () = stopped(&mut stop) => {}
            Ok(()) = own_stop => {}
        }
    };
    let ended = select! {
        ended = child.wait() => ended,
        () = asked => {
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
