//! The Runtime API (2018-06-01) over HTTP, for one environment on a loopback port of its own.
//!
//! It checks what a client says against the invocation that is on its way and hands it on as a [`Message`]; what follows from it is the
//! environment's to decide.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use super::error::LabError;
use super::spec::{LARGEST_ANSWER, LARGEST_STREAM};

/// What a client said.
pub enum Message {
    /// It is ready for an invocation.
    Next(oneshot::Sender<Delivery>),
    /// The answer.
    Answer { content_type: String, payload: Bytes },
    /// The answer was larger than so many bytes.
    TooLarge(usize),
    /// A streamed answer begins.
    StreamBegun { content_type: String },
    /// A piece of it.
    Chunk(Bytes),
    /// Its end, with the error of its trailers: type and body (JSON).
    StreamEnded(Option<(String, Bytes)>),
    /// The handler failed: type and body.
    Error(Option<String>, Bytes),
    /// The function could not be initialised: type and body.
    InitError(Option<String>, Bytes),
}

/// One invocation as it is handed to a client.
pub struct Delivery {
    pub request_id: String,
    pub invocation_id: String,
    pub deadline_ms: i64,
    pub function_arn: String,
    pub client_context: Option<String>,
    pub trace_id: String,
    pub event: Bytes,
}

/// The invocation that a client may speak of.
struct Current {
    request_id: String,
    invocation_id: String,
}

/// The Runtime API of one environment. It ends with this value.
pub struct Api {
    /// Host and port.
    pub address: String,
    /// What the client says, in its order.
    pub messages: mpsc::UnboundedReceiver<Message>,
    desk: Arc<Desk>,
    server: JoinHandle<()>,
}

struct Desk {
    current: Mutex<Option<Current>>,
    messages: mpsc::UnboundedSender<Message>,
}

impl Api {
    /// Listens on a free loopback port.
    pub async fn start() -> Result<Api, LabError> {
        let failed = |error| LabError::new(format!("cannot listen on the loopback address: {error}"));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?.to_string();
        let (sender, messages) = mpsc::unbounded_channel();
        let desk = Arc::new(Desk { current: Mutex::new(None), messages: sender });
        let server = tokio::spawn(listen(listener, Arc::clone(&desk)));
        Ok(Api { address, messages, desk, server })
    }

    /// From now on the client may answer `delivery`.
    pub fn expect(&self, delivery: &Delivery) {
        let current = Current { request_id: delivery.request_id.clone(), invocation_id: delivery.invocation_id.clone() };
        *self.desk.current.lock().unwrap_or_else(PoisonError::into_inner) = Some(current);
    }
}

impl Drop for Api {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn listen(listener: TcpListener, desk: Arc<Desk>) {
    while let Ok((stream, _)) = listener.accept().await {
        let _ = stream.set_nodelay(true);
        let desk = Arc::clone(&desk);
        let service = service_fn(move |request| {
            let desk = Arc::clone(&desk);
            async move { Ok::<_, Infallible>(answer(request, &desk).await) }
        });
        tokio::spawn(async move {
            // A connection that breaks is a client that ended: the environment learns that from the process.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn answer(request: Request<Incoming>, desk: &Desk) -> Response<Full<Bytes>> {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    match (&method, parts.as_slice()) {
        (&Method::GET, ["2018-06-01", "runtime", "invocation", "next"]) => next(desk).await,
        (&Method::POST, ["2018-06-01", "runtime", "invocation", id, "response"]) => response(request, id, desk).await,
        (&Method::POST, ["2018-06-01", "runtime", "invocation", id, "error"]) => {
            if let Some(refused) = desk.refuse(id, request.headers()) {
                return refused;
            }
            let error_type = header(request.headers(), "lambda-runtime-function-error-type");
            match Limited::new(request.into_body(), LARGEST_ANSWER).collect().await {
                Ok(body) => desk.finish(Message::Error(error_type, body.to_bytes())),
                Err(_) => desk.finish(Message::TooLarge(LARGEST_ANSWER)),
            }
        }
        (&Method::POST, ["2018-06-01", "runtime", "init", "error"]) => {
            let error_type = header(request.headers(), "lambda-runtime-function-error-type");
            let body = request.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
            desk.accept(Message::InitError(error_type, body))
        }
        _ => refusal(StatusCode::NOT_FOUND, "InvalidRequest", "no such path in this Runtime API"),
    }
}

async fn next(desk: &Desk) -> Response<Full<Bytes>> {
    let (sender, receiver) = oneshot::channel();
    let _ = desk.messages.send(Message::Next(sender));
    let Ok(delivery) = receiver.await else {
        return refusal(StatusCode::FORBIDDEN, "InvalidStateTransition", "the environment is shutting down");
    };
    let mut response = Response::new(Full::new(delivery.event));
    let headers = response.headers_mut();
    // awslambdaric dies without a content type.
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    for (name, value) in [
        ("lambda-runtime-aws-request-id", Some(delivery.request_id)),
        ("lambda-runtime-invocation-id", Some(delivery.invocation_id)),
        ("lambda-runtime-deadline-ms", Some(delivery.deadline_ms.to_string())),
        ("lambda-runtime-invoked-function-arn", Some(delivery.function_arn)),
        ("lambda-runtime-trace-id", Some(delivery.trace_id)),
        ("lambda-runtime-client-context", delivery.client_context),
    ] {
        if let Some(value) = value.and_then(|value| HeaderValue::from_bytes(value.as_bytes()).ok()) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    response
}

async fn response(request: Request<Incoming>, id: &str, desk: &Desk) -> Response<Full<Bytes>> {
    if let Some(refused) = desk.refuse(id, request.headers()) {
        return refused;
    }
    let content_type = header(request.headers(), "content-type").unwrap_or_else(|| "application/octet-stream".to_owned());
    let streaming = header(request.headers(), "lambda-runtime-function-response-mode").is_some_and(|mode| mode == "streaming");
    if !streaming {
        return match Limited::new(request.into_body(), LARGEST_ANSWER).collect().await {
            Ok(body) => desk.finish(Message::Answer { content_type, payload: body.to_bytes() }),
            Err(error) if error.is::<http_body_util::LengthLimitError>() => desk.too_large(LARGEST_ANSWER),
            Err(_) => refusal(StatusCode::BAD_REQUEST, "InvalidRequest", "the answer broke off"),
        };
    }
    let _ = desk.messages.send(Message::StreamBegun { content_type });
    let mut body = request.into_body();
    let mut error = None;
    let mut size = 0;
    while let Some(frame) = body.frame().await {
        // A stream that breaks off has no end: the process is gone, and the environment learns that from it.
        let Ok(frame) = frame else {
            return refusal(StatusCode::BAD_REQUEST, "InvalidRequest", "the stream broke off");
        };
        match frame.into_data() {
            Ok(chunk) => {
                size += chunk.len();
                if size > LARGEST_STREAM {
                    return desk.too_large(LARGEST_STREAM);
                }
                let _ = desk.messages.send(Message::Chunk(chunk));
            }
            Err(frame) => {
                if let Some(trailers) = frame.trailers_ref() {
                    error = header(trailers, "lambda-runtime-function-error-type").map(|error_type| {
                        let body = header(trailers, "lambda-runtime-function-error-body").unwrap_or_default();
                        (error_type, decode(&body))
                    });
                }
            }
        }
    }
    desk.finish(Message::StreamEnded(error))
}

/// The error body of a trailer: base64 of JSON, or, by some clients, the JSON itself.
fn decode(body: &str) -> Bytes {
    let mut bytes = Vec::with_capacity(body.len());
    let (mut bits, mut count) = (0_u32, 0);
    for byte in body.bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            b'=' => continue,
            _ => return Bytes::from(body.to_owned()),
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count & 0xff) as u8);
        }
    }
    Bytes::from(bytes)
}

impl Desk {
    /// The refusal, if the client speaks of another invocation than the one on its way.
    fn refuse(&self, id: &str, headers: &HeaderMap) -> Option<Response<Full<Bytes>>> {
        let current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(current) = current.as_ref().filter(|current| current.request_id == id) else {
            return Some(refusal(StatusCode::BAD_REQUEST, "InvalidRequestID", "Invalid request ID"));
        };
        match header(headers, "lambda-runtime-invocation-id") {
            Some(said) if said != current.invocation_id => {
                Some(refusal(StatusCode::BAD_REQUEST, "InvalidInvocationId", "Invalid invocation ID"))
            }
            _ => None,
        }
    }

    /// The last word about an answer that Lambda would not take.
    fn too_large(&self, most: usize) -> Response<Full<Bytes>> {
        self.finish(Message::TooLarge(most));
        let message = format!("Exceeded maximum allowed payload size ({most} bytes).");
        refusal(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge", &message)
    }

    /// Hands on the last word about the current invocation.
    fn finish(&self, message: Message) -> Response<Full<Bytes>> {
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.accept(message)
    }

    fn accept(&self, message: Message) -> Response<Full<Bytes>> {
        let _ = self.messages.send(message);
        json(StatusCode::ACCEPTED, "{\"status\":\"OK\"}\n".to_owned())
    }
}

fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}

fn refusal(status: StatusCode, error_type: &str, message: &str) -> Response<Full<Bytes>> {
    json(status, serde_json::json!({"errorMessage": message, "errorType": error_type}).to_string())
}

fn json(status: StatusCode, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
