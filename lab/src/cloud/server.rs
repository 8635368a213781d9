//! The port: HTTP/1.1 on loopback, every request its own task, so that a client that goes away does not undo what it asked for.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::HeaderMap;
use hyper::service::service_fn;
use hyper::{Request as Http, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;

use super::error::ApiError;
use super::lab::{Lab, Outcome, Place};
use super::principal::Principal;
use super::wire::{self, access_key};
use super::{automation, control};

/// A lab that listens.
#[derive(Debug)]
pub struct Server {
    lab: Arc<Lab>,
    listener: TcpListener,
    address: SocketAddr,
}

impl Server {
    /// Opens the state folder and the port (0: any free one), and goes on with what was interrupted.
    pub async fn open(folder: &Path, place: Place, port: u16, speed: Option<f64>) -> std::io::Result<Server> {
        let lab = Arc::new(Lab::open(folder, place, speed)?);
        let listener = TcpListener::bind(("127.0.0.1", port)).await;
        let listener = listener.map_err(|error| std::io::Error::new(error.kind(), format!("port {port}: {error}")))?;
        let address = listener.local_addr()?;
        lab.set_endpoint(format!("http://{address}"));
        automation::resume(&lab);
        Ok(Server { lab, listener, address })
    }

    /// `http://127.0.0.1:PORT`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Serves until the future is dropped.
    pub async fn serve(self) -> std::io::Result<()> {
        loop {
            let (stream, _) = match self.listener.accept().await {
                Ok(accepted) => accepted,
                // Too many open files, or a client that went away: the next one may have more luck.
                Err(_) => {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    continue;
                }
            };
            let _nagle = stream.set_nodelay(true).is_err();
            let lab = Arc::clone(&self.lab);
            tokio::spawn(async move {
                let service = service_fn(move |request| {
                    let lab = Arc::clone(&lab);
                    async move {
                        // Not on the connection's own task: see above.
                        tokio::spawn(answer(lab, request)).await.unwrap_or(Err(Dropped))
                    }
                });
                let connection = hyper::server::conn::http1::Builder::new()
                    .timer(TokioTimer::new())
                    .serve_connection(TokioIo::new(stream), service);
                // A connection that breaks off is the client's business.
                let _broken = connection.await.is_err();
            });
        }
    }

    /// Ends the processes of functions and scripts. Executions are where they are, and go on when the lab is opened again.
    pub async fn shutdown(lab: &Arc<Lab>) {
        lab.engines.end_all();
        lab.environments.clear().await;
    }

    /// The lab behind the port.
    pub fn lab(&self) -> Arc<Lab> {
        Arc::clone(&self.lab)
    }
}

/// The connection is closed without an answer.
#[derive(Debug)]
struct Dropped;

impl std::fmt::Display for Dropped {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("closed without an answer, as a fault hook wanted")
    }
}

impl std::error::Error for Dropped {}

/// The lab runs whatever code it is given, so no web page on this machine may give it any: browsers say where a request comes from,
/// and a name that was made to point here is not ours.
fn from_a_browser(headers: &HeaderMap) -> bool {
    let host = headers.get("host").and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let ours = matches!(name, "127.0.0.1" | "localhost");
    !ours || headers.contains_key("origin") || headers.contains_key("sec-fetch-site")
}

async fn answer(lab: Arc<Lab>, request: Http<Incoming>) -> Result<Response<Full<Bytes>>, Dropped> {
    let (parts, body) = request.into_parts();
    if from_a_browser(&parts.headers) {
        let error = ApiError::new("AccessDeniedException", 403, "the lab does not answer web pages");
        return Ok(wire::write(wire::Protocol::Rest, None, Err(error)));
    }
    let body = body.collect().await.map_err(|_| Dropped)?.to_bytes();
    if parts.uri.path() == "/_lab" || parts.uri.path().starts_with("/_lab/") {
        return Ok(control::answer(&lab, &parts, &body).await);
    }
    let who =
        access_key(&parts.headers).and_then(|key| lab.engines.key(&key)).unwrap_or_else(|| Principal::user(&lab.place.account));
    let (protocol, request) = wire::read(&parts, &body);
    let request = match request {
        Ok(request) => request,
        Err(error) => return Ok(wire::write(protocol, None, Err(error))),
    };
    match lab.dispatch(&request, &who).await {
        Outcome::Answer(answer) => Ok(wire::write(protocol, Some(&request), answer)),
        Outcome::Dropped => Err(Dropped),
    }
}
