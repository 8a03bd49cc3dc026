//! Where a feed is served over HTTP.

use std::fmt;
use std::path::Path;

use ureq::http::Uri;

use crate::outcome::Stop;

/// `http://host[:port]/path[?query]`
pub(crate) struct Url(String);

impl Url {
    /// The address in a `PATH`, if it is one.
    pub(super) fn of(path: &Path) -> Result<Option<Self>, Stop> {
        let text = path.to_string_lossy();
        if text.starts_with("https://") {
            return Err(Stop::Usage(HTTPS.to_owned()));
        }
        if !text.starts_with("http://") {
            return Ok(None);
        }
        // What stands after it is for browsers.
        let url = text.split('#').next().unwrap_or_default();
        if path.to_str().is_some() && url.parse().is_ok_and(|uri| is_address(&uri)) {
            return Ok(Some(Self(url.to_owned())));
        }
        Err(Stop::Usage(format!(
            "{text} is no address of a feed: expected `http://host:port/path`"
        )))
    }

    /// The same, from after that version on, unless it says itself from where.
    pub(super) fn since(&self, version: u64) -> String {
        let Some((_, query)) = self.0.split_once('?') else {
            return format!("{self}?since={version}");
        };
        let names = |pair: &str| matches!(pair.split('=').next(), Some("since" | "cursor"));
        if query.split('&').any(names) {
            return self.to_string();
        }
        format!("{self}&since={version}")
    }
}

const HTTPS: &str = "https:// is not read, since there is no TLS here; `curl` brings the events: `curl -sN \
                     URL | sed -un '/^event:/,/^$/d; s/^data: //p' | eventlog show -`";

/// A port that is no number would be left out in silence.
fn is_address(uri: &Uri) -> bool {
    let Some(authority) = uri.authority() else {
        return false;
    };
    let host = authority.host();
    let has_port = !authority.as_str().ends_with(host);
    !host.is_empty() && (!has_port || authority.port_u16().is_some_and(|port| port > 0))
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
