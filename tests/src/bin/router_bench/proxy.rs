//! A proxy of nothing but hyper: what forwarding a request costs that nobody looks into.

use std::convert::Infallible;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;

use crate::Failure;

type Pool = Client<HttpConnector, Full<Bytes>>;

/// Forwards what comes to `address` to `to` until the process is killed.
pub(crate) async fn serve(address: &str, to: &str) -> Result<(), Failure> {
    let listener = TcpListener::bind(address).await?;
    let to: Uri = format!("http://{to}/graphql").parse()?;
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let pool: Pool = Client::builder(TokioExecutor::new()).build(connector);
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let (pool, to) = (pool.clone(), to.clone());
        let service = service_fn(move |request| {
            let (pool, to) = (pool.clone(), to.clone());
            async move { Ok::<_, Infallible>(forward(&pool, to, request).await) }
        });
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

async fn forward(pool: &Pool, to: Uri, request: Request<Incoming>) -> Response<Full<Bytes>> {
    match forwarded(pool, to, request).await {
        Ok(response) => response,
        Err(error) => {
            let mut response = Response::new(Full::new(error.to_string().into()));
            *response.status_mut() = StatusCode::BAD_GATEWAY;
            response
        }
    }
}

async fn forwarded(
    pool: &Pool,
    to: Uri,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Failure> {
    let body = request.into_body().collect().await?.to_bytes();
    let request = Request::post(to)
        .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
        .body(Full::new(body))?;
    let response = pool.request(request).await?;
    let (parts, body) = response.into_parts();
    let body = body.collect().await?.to_bytes();
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = parts.status;
    if let Some(kind) = parts.headers.get(CONTENT_TYPE) {
        response.headers_mut().insert(CONTENT_TYPE, kind.clone());
    }
    Ok(response)
}
