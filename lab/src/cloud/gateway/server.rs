//! The port: HTTP/1.1 on loopback, every request its own task, so that a client that goes away does not undo what it asked for.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::HeaderMap;
use hyper::http::request::Parts;
use hyper::service::service_fn;
use hyper::{Request as Http, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;

use super::routing::{access_key, route};
use super::{LARGEST, Protocol, chunked, control, read, write};
use crate::cloud::call::{ApiError, Outcome, Principal};
use crate::cloud::lab::{Lab, Place};

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
        lab.start(format!("http://{address}"));
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
        out.write_str("closed without an answer, as a hook wanted")
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
    let (mut parts, body) = request.into_parts();
    if from_a_browser(&parts.headers) {
        let error = ApiError::new("AccessDeniedException", 403, "the lab does not answer web pages");
        return Ok(write(Protocol::RestJson, None, Err(error)));
    }
    let body = bounded(body).await?;
    if let Some(path) = parts.uri.path().strip_prefix("/_lab").filter(|rest| rest.is_empty() || rest.starts_with('/')) {
        let body = body.unwrap_or_default();
        return Ok(control::answer(&lab, &parts, path.trim_matches('/'), &body).await);
    }
    let fits = body.as_ref().map(Bytes::len);
    let bytes = match chunked::unwrapped(&mut parts.headers, body.unwrap_or_default()) {
        Ok(bytes) => bytes,
        // What is larger than anything may be was not kept.
        Err(_) if fits.is_none() => Bytes::new(),
        Err(error) => return Ok(write(Protocol::RestXml, None, Err(error))),
    };
    let (protocol, found) = route(lab.models(), &parts, &bytes);
    let found = match found {
        Ok(found) => found,
        Err(error) => return Ok(write(protocol, None, Err(error))),
    };
    let asked = Some((found.model, found.operation));
    if let Some(service) = lab.service(&found.model.name) {
        let largest = service.largest(&found.operation.name).min(LARGEST);
        if fits.is_none_or(|length| length > largest) {
            return Ok(write(protocol, asked, Err(service.too_large(largest, &found.operation.name))));
        }
    }
    match read(protocol, &found, &parts, &bytes) {
        Ok(request) => {
            let who = caller(&lab, &parts);
            match lab.call(&who, &request).await {
                Outcome::Answer(answer) => Ok(write(protocol, asked, answer)),
                Outcome::Dropped => Err(Dropped),
            }
        }
        Err(error) => Ok(write(protocol, asked, Err(error))),
    }
}

fn caller(lab: &Lab, parts: &Parts) -> Principal {
    let known = access_key(parts).and_then(|key| lab.keys.whose(&key));
    known.unwrap_or_else(|| Principal::user(&lab.site.place.account))
}

/// A body, or `None` if it is larger than any may be: then the rest is read past, so that the client reads the refusal.
async fn bounded(mut body: Incoming) -> Result<Option<Bytes>, Dropped> {
    let mut bytes = BytesMut::new();
    let mut fits = true;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| Dropped)?.into_data() else { continue };
        fits = fits && bytes.len() + data.len() <= LARGEST;
        if fits {
            bytes.extend_from_slice(&data);
        } else {
            bytes = BytesMut::new();
        }
    }
    Ok(fits.then(|| bytes.freeze()))
}
