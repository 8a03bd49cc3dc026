//! What an acknowledgement of a stream is worth, asked of its servers where they tell.

use std::{io, time::Duration};

use serde::Deserialize;
use tokio::{net::TcpStream, time::timeout};

use super::{config::JetStreamConfig, link::Keeping};
use crate::writer::Level;

/// How long a monitoring address may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// More than any server has to say.
const MAX_ANSWER: usize = 1 << 20;

/// The part of a server's `/varz` that tells.
#[derive(Deserialize)]
struct Varz {
    server_name: String,
    jetstream: Option<JetStreamVarz>,
}

#[derive(Deserialize)]
struct JetStreamVarz {
    config: Option<ConfigVarz>,
}

#[derive(Deserialize)]
struct ConfigVarz {
    #[serde(default)]
    sync_always: bool,
}

/// The level of a stream. A stream in memory is never synced; one on disk is if somebody says so:
/// all its servers, or the user.
pub(super) async fn ask(config: &JetStreamConfig, keeping: &Keeping) -> Level {
    let replicas = u16::try_from(keeping.replicas.max(1)).unwrap_or(u16::MAX);
    let synced = keeping.on_disk && (config.assume_synced || all_sync(config, keeping).await);
    Level::new(replicas, synced)
}

/// Whether each server that has the stream says that it syncs before it acknowledges.
async fn all_sync(config: &JetStreamConfig, keeping: &Keeping) -> bool {
    let mut needed = keeping.servers.clone();
    if needed.len() < keeping.replicas {
        return false;
    }
    for address in &config.monitors {
        if let Some(server) = syncing_server(address).await {
            needed.remove(&server);
        }
    }
    needed.is_empty()
}

/// The name of the server at this monitoring address, if it syncs before it acknowledges.
async fn syncing_server(address: &str) -> Option<String> {
    let answer = timeout(PATIENCE, get(address, "/varz")).await;
    let body = match answer {
        Ok(Ok(body)) => body,
        Ok(Err(error)) => {
            tracing::debug!(address, %error, "a monitoring address does not answer");
            return None;
        }
        Err(_) => return None,
    };
    let varz: Varz = serde_json::from_slice(&body).ok()?;
    let syncs = varz.jetstream?.config?.sync_always;
    syncs.then_some(varz.server_name)
}

/// The body of an answer, by the simplest form of HTTP that there is.
async fn get(address: &str, path: &str) -> io::Result<Vec<u8>> {
    let stream = TcpStream::connect(address).await?;
    let host = address.replace(['\r', '\n'], "");
    let mut request = format!("GET {path} HTTP/1.0\r\nHost: {host}\r\n\r\n").into_bytes();
    while !request.is_empty() {
        stream.writable().await?;
        match stream.try_write(&request) {
            Ok(written) => drop(request.drain(..written)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    let mut answer = Vec::new();
    let mut buffer = [0; 8192];
    loop {
        stream.readable().await?;
        match stream.try_read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => answer.extend_from_slice(&buffer[..read]),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
        if answer.len() > MAX_ANSWER {
            return Err(io::Error::other("the answer is too long"));
        }
    }
    let body = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n");
    let body = body.ok_or_else(|| io::Error::other("no HTTP"))?;
    Ok(answer.split_off(body + 4))
}
