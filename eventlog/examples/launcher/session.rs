//! One run of the launcher, from the recovery of its log to the summary.

use std::{
    io::{self, Write},
    path::Path,
    sync::Arc,
    time::Duration,
};

use eventlog::{
    EventLog, EventRef, Start, Versioned,
    disk::{DiskConfig, DiskWriter, Recovery},
};
use tokio::{
    sync::{Barrier, mpsc},
    task::JoinHandle,
    time::timeout,
};

use crate::{
    args::Args,
    children::{Wishes, supervise},
    client::Subscriber,
    event::Event,
    reducer::Reducer,
    say,
    server::{Server, bind},
    signals::stop_requests,
    summary::Summary,
};

/// How long the end of a run waits for the disk.
const TIMEOUT: Duration = Duration::from_secs(10);

/// After how many events the second subscriber hangs up.
const CUT_AFTER: u64 = 9;

pub async fn run(args: &Args) -> Result<Summary, String> {
    let stop = stop_requests().map_err(|error| format!("cannot listen for signals: {error}"))?;
    std::fs::create_dir_all(&args.data_dir).map_err(|error| {
        let directory = args.data_dir.display();
        format!("cannot create {directory}: {error}; name a directory with --data-dir")
    })?;
    let config = DiskConfig::new(args.data_dir.join("events.log"));
    let (log, recovery) = EventLog::<Event>::recover(&config).map_err(|error| error.to_string())?;
    announce(&recovery, config.path());
    let log = Arc::new(log);
    let writer = DiskWriter::spawn(&log, config).map_err(|error| error.to_string())?;
    let writer = Arc::new(writer);
    let reducer = Arc::new(Reducer::new(log.clone()));

    let socket = args.data_dir.join("launcher.sock");
    let listener = bind(&socket).map_err(|error| {
        let remedy = match error.kind() {
            io::ErrorKind::InvalidInput => "; name a directory with a shorter path with --data-dir",
            _ => "",
        };
        format!("cannot listen on {}: {error}{remedy}", socket.display())
    })?;
    let server = Server::new(reducer.clone(), writer.clone());
    let serving = tokio::spawn(server.clone().serve(listener));
    let acks = args
        .acks
        .then(|| tokio::spawn(print_acks(log.clone(), writer.clone())));

    let (ordering, orders) = mpsc::channel(16);
    #[cfg(feature = "axum")]
    let page = crate::page::serve(&args.data_dir, &reducer, &writer, ordering.clone())
        .await
        .map_err(|error| format!("cannot serve the page: {error}"))?;

    let before = log.stats().appended;
    let clients = start_clients(&socket, args.clients).await;
    let stay = args.stay;
    supervise(&reducer, &args.commands, Wishes { stop, orders, stay }).await;
    drop(ordering);
    log.close();

    let subscribers = join(clients)
        .await
        .map_err(|error| format!("a subscriber: {error}"))?;
    if let Some(acks) = acks {
        acks.await.map_err(|error| error.to_string())?;
    }
    let durable = match timeout(TIMEOUT, writer.flush()).await {
        Ok(flushed) => flushed.map_err(|error| error.to_string()),
        Err(_) => Err(format!(
            "events {:?} still wait for the disk",
            writer.missing()
        )),
    };
    server.farewell().await;
    // It has nothing to wait for, because the log is closed.
    #[cfg(feature = "axum")]
    timeout(TIMEOUT, page.end()).await.ok();
    serving.abort();
    std::fs::remove_file(&socket).ok();
    Ok(Summary {
        state: reducer.state(),
        appended: log.stats().appended,
        before,
        subscribers,
        durable,
        path: log.disk_path().map(Path::to_owned).unwrap_or_default(),
    })
}

fn announce(recovery: &Recovery, path: &Path) {
    if recovery.events > 0 {
        let path = path.display();
        say(&format!(
            "recovered {} events from {path}\n",
            recovery.events
        ));
    }
    if let Some(first) = recovery.damage.first() {
        let count = recovery.damage.len();
        say(&format!(
            "{count} places in it hold no event; the first:\n  {first}\n"
        ));
    }
}

type Clients = Vec<(&'static str, JoinHandle<io::Result<Subscriber>>)>;

/// Two subscribers that connect while the processes start.
async fn start_clients(socket: &Path, wanted: bool) -> Clients {
    if !wanted {
        return Vec::new();
    }
    let ready = Arc::new(Barrier::new(3));
    let mut clients = Vec::new();
    for (name, cut_after) in [("steady", None), ("cut off", Some(CUT_AFTER))] {
        let (socket, ready) = (socket.to_owned(), ready.clone());
        let following = async move {
            ready.wait().await;
            Subscriber::follow(&socket, cut_after).await
        };
        clients.push((name, tokio::spawn(following)));
    }
    ready.wait().await;
    clients
}

async fn join(clients: Clients) -> io::Result<Vec<(&'static str, Subscriber)>> {
    let mut subscribers = Vec::new();
    for (name, client) in clients {
        subscribers.push((name, client.await??));
    }
    Ok(subscribers)
}

/// Says of each version that it is durable, as soon as it is, until there is no listener any more.
async fn print_acks(log: Arc<EventLog<Event>>, writer: Arc<DiskWriter<Event>>) {
    let mut events = log.subscribe(Start::Now);
    while let Ok(event) = events.recv().await {
        let is_durable = writer.durable(EventRef::seq(&event)).await.is_ok();
        if is_durable && writeln!(io::stdout(), "durable {}", event.version()).is_err() {
            return;
        }
    }
}
