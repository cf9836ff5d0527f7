//! A server as the command line sees it: its address and token, and its answers turned back into batches and errors.
//!
//! An answer is decoded as it arrives. One that ends without its end-of-stream mark has broken off, and is an error.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use arrow::buffer::Buffer;
use arrow::error::ArrowError;
use arrow::ipc::reader::StreamDecoder;
use arrow::record_batch::RecordBatch;
use clap::Args;
use futures::stream::{self, StreamExt};
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap};
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, Response, Url};
use serde::{Deserialize, Serialize};
use tributary_engine_core::engine::{Answer, Frame, PluginVersion, Trailer};
use tributary_engine_core::manufacturer::ManufacturerId;
use tributary_engine_core::parameter::Parameters;
use tributary_engine_core::{Error, Fault, Result};

use super::stop::file_error;
use crate::encode::Encoding;
use crate::limits::{
    SERVER_CONNECT_SECONDS, SERVER_ERROR_BYTES, SERVER_PLUGINS_BYTES, SERVER_SILENCE_SECONDS,
    TOKEN_BYTES,
};

/// A server to ask instead of a data folder.
#[derive(Args)]
pub(super) struct Asked {
    /// Ask a server instead of the data folder
    #[arg(long, value_name = "URL", value_parser = address)]
    server: Option<Url>,

    /// Bearer token for the server; other users of this machine can see it here, so prefer the variable or a file
    #[arg(
        long,
        value_name = "TOKEN",
        env = "TRIBUTARY_TOKEN",
        hide_env_values = true
    )]
    token: Option<String>,

    /// File with the bearer token; goes before the other two
    #[arg(long, value_name = "FILE", requires = "server")]
    token_file: Option<PathBuf>,
}

impl Asked {
    /// The server, where one is named.
    pub(super) fn server(&self, manufacturer: Option<&ManufacturerId>) -> Result<Option<Server>> {
        let Some(address) = &self.server else {
            return Ok(None);
        };
        Ok(Some(Server {
            client: client(address)?,
            address: address.clone(),
            token: self.token()?,
            manufacturer: manufacturer.cloned(),
        }))
    }

    fn token(&self) -> Result<String> {
        let mut token = String::new();
        match (&self.token_file, &self.token) {
            (Some(path), _) => {
                let file = File::open(path).map_err(|error| file_error("open", path, &error))?;
                file.take(TOKEN_BYTES as u64 + 2)
                    .read_to_string(&mut token)
                    .map_err(|error| file_error("read", path, &error))?;
            }
            (None, Some(given)) => token.clone_from(given),
            (None, None) => {
                return Err(Error::new(Fault::Invalid, "no token is given for the server")
                    .with_hint("Give one with --token-file, or in TRIBUTARY_TOKEN; \"tributary token create\" issues one."));
            }
        }
        let token = token.trim();
        if token.is_empty()
            || token.len() > TOKEN_BYTES
            || !token.bytes().all(|b| b.is_ascii_graphic())
        {
            return Err(
                Error::new(Fault::Invalid, "the token is not a bearer token").with_hint(
                    "A token is one word without blanks, as \"tributary token create\" prints it.",
                ),
            );
        }
        Ok(token.to_owned())
    }
}

/// For clap, which shows one text beside the argument.
fn address(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).ok().filter(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
    });
    url.ok_or_else(|| {
        "not the address of a server\nhint: Write it as http://127.0.0.1:7070.".to_owned()
    })
}

/// A client that follows no redirect, since it would carry the token along.
fn client(address: &Url) -> Result<Client> {
    let mut builder = Client::builder()
        .user_agent(concat!("tributary/", env!("CARGO_PKG_VERSION")))
        .redirect(Policy::none())
        .connect_timeout(Duration::from_secs(SERVER_CONNECT_SECONDS))
        .read_timeout(Duration::from_secs(SERVER_SILENCE_SECONDS));
    if address.scheme() == "http" {
        // A machine without certificates can still speak plain HTTP.
        builder = builder.tls_certs_only([]);
    }
    if is_this_machine(address) {
        builder = builder.no_proxy();
    }
    builder.build().map_err(|error| {
        Error::new(
            Fault::Unavailable,
            format!("prepare to connect: {}", cause(&error)),
        )
    })
}

fn is_this_machine(address: &Url) -> bool {
    address.host_str().is_some_and(|host| {
        let host = host.trim_start_matches('[').trim_end_matches(']');
        host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
    })
}

/// A server, the token for it, and the manufacturer that is asked about.
#[derive(Clone)]
pub(super) struct Server {
    client: Client,
    address: Url,
    token: String,
    /// None where the token says it.
    manufacturer: Option<ManufacturerId>,
}

impl Server {
    /// Answers one statement.
    pub(super) async fn answer(&self, sql: &str, parameters: &Parameters) -> Result<Answer> {
        let started = Instant::now();
        let path = match &self.manufacturer {
            Some(manufacturer) => format!("/v1/{manufacturer}/query"),
            None => "/v1/query".to_owned(),
        };
        let request = self
            .client
            .post(self.url(&path))
            .header(CONTENT_TYPE, "application/json")
            .header(ACCEPT, Encoding::Arrow.media_type())
            .body(
                serde_json::to_string(&Question { sql, parameters })
                    .map_err(|error| Error::internal("write statement", error))?,
            );
        let response = self.send(request).await?;
        let stated = response.headers().get(CONTENT_TYPE);
        if stated.is_none_or(|stated| stated != Encoding::Arrow.media_type()) {
            return Err(self.stranger("answers with something else than rows"));
        }
        let freshness = versions(response.headers());
        let mut reading = Reading::new(self.address(), response, started);
        let first = reading.frame().await?;
        let schema = reading
            .decoder
            .schema()
            .ok_or_else(|| reading.broke_off("no column was sent"))?;
        let rest = stream::try_unfold(Some(reading), |reading| async {
            let Some(mut reading) = reading else {
                return Ok(None);
            };
            let frame = reading.frame().await?;
            let more = matches!(frame, Frame::Batch(_)).then_some(reading);
            Ok(Some((frame, more)))
        });
        let only = matches!(first, Frame::End(_));
        let first = stream::once(async { Ok(first) });
        Ok(Answer {
            schema,
            freshness,
            frames: if only {
                first.boxed()
            } else {
                first.chain(rest).boxed()
            },
        })
    }

    /// The uploaded plugins of one manufacturer.
    pub(super) async fn plugins(
        &self,
        manufacturer: &ManufacturerId,
    ) -> Result<Vec<PluginVersion>> {
        #[derive(Deserialize)]
        struct Plugins {
            plugins: Vec<PluginVersion>,
        }
        let request = self
            .client
            .get(self.url(&format!("/v1/{manufacturer}/plugins")));
        let mut response = self.send(request).await?;
        let bytes = body(&mut response, SERVER_PLUGINS_BYTES).await;
        let listed: Plugins = serde_json::from_slice(&bytes)
            .map_err(|_| self.stranger("answers with something else than plugins"))?;
        Ok(listed.plugins)
    }

    /// The same server, asked about another manufacturer.
    pub(super) fn of(&self, manufacturer: ManufacturerId) -> Self {
        Self {
            manufacturer: Some(manufacturer),
            ..self.clone()
        }
    }

    /// Whose tables, where that was named.
    pub(super) const fn manufacturer(&self) -> Option<&ManufacturerId> {
        self.manufacturer.as_ref()
    }

    /// Its address without the slash at the end.
    pub(super) fn address(&self) -> String {
        self.address.as_str().trim_end_matches('/').to_owned()
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.address())
    }

    /// Sends a request; what is not a success is an error.
    async fn send(&self, request: RequestBuilder) -> Result<Response> {
        let sent = request.bearer_auth(&self.token).send().await;
        let mut response = sent.map_err(|error| {
            Error::new(
                Fault::Unavailable,
                format!(
                    "server \"{}\" does not answer: {}",
                    self.address(),
                    cause(&error)
                ),
            )
            .with_hint("Is it running, and is the address right? \"tributary serve\" starts one.")
        })?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let bytes = body(&mut response, SERVER_ERROR_BYTES).await;
        let refusal: Option<Refusal> = serde_json::from_slice(&bytes).ok();
        Err(refusal
            .and_then(Refusal::error)
            .unwrap_or_else(|| self.stranger(&format!("answers with status {}", status.as_u16()))))
    }

    /// What speaks HTTP and not as our server does.
    fn stranger(&self, does: &str) -> Error {
        Error::new(
            Fault::Unavailable,
            format!("server \"{}\" {does}", self.address()),
        )
        .with_hint("Is it a Tributary server, and is nothing in between that answers for it?")
    }
}

/// A statement as the body of a request.
#[derive(Serialize)]
struct Question<'a> {
    sql: &'a str,
    parameters: &'a Parameters,
}

/// The body of an error.
#[derive(Deserialize)]
struct Refusal {
    code: String,
    message: String,
    hint: Option<String>,
    request_id: Option<String>,
}

impl Refusal {
    /// The error that the server had; none where its code is not one of ours.
    fn error(self) -> Option<Error> {
        let fault = Fault::ALL
            .into_iter()
            .find(|fault| fault.code() == self.code)?;
        let error = Error::new(fault, self.message);
        // Only the server's log knows more of its own mistakes.
        let named = self.request_id.filter(|_| fault == Fault::Internal);
        let named = named.map(|id| format!("The server's log has more under request id {id}."));
        let hint: Vec<String> = self
            .hint
            .map(for_command_line)
            .into_iter()
            .chain(named)
            .collect();
        Some(match hint.as_slice() {
            [] => error,
            hint => error.with_hint(hint.join(" ")),
        })
    }
}

/// The server speaks to those who write requests; here a manufacturer is named in another way.
fn for_command_line(hint: String) -> String {
    match hint.strip_prefix("Use /v1/{manufacturer}/query with one of: ") {
        Some(named) => format!("Choose one with -m, or with \\c in the shell: {named}"),
        None => hint,
    }
}

/// An answer that is arriving.
struct Reading {
    server: String,
    response: Response,
    decoder: StreamDecoder,
    /// Bytes that have arrived and are not decoded.
    buffer: Buffer,
    rows: u64,
    started: Instant,
}

impl Reading {
    fn new(server: String, response: Response, started: Instant) -> Self {
        Self {
            server,
            response,
            decoder: StreamDecoder::new(),
            buffer: Buffer::from(Vec::<u8>::new()),
            rows: 0,
            started,
        }
    }

    /// The next batch, or the end.
    async fn frame(&mut self) -> Result<Frame> {
        loop {
            if let Some(batch) = self.decode()? {
                self.rows += batch.num_rows() as u64;
                return Ok(Frame::Batch(batch));
            }
            match self.response.chunk().await {
                Ok(Some(bytes)) => self.buffer = Buffer::from(bytes),
                Ok(None) => return self.end(),
                Err(error) => return Err(self.broke_off(&cause(&error))),
            }
        }
    }

    fn decode(&mut self) -> Result<Option<RecordBatch>> {
        self.decoder.decode(&mut self.buffer).map_err(|error| {
            Error::new(
                Fault::Unavailable,
                format!(
                    "server \"{}\" sent rows that cannot be read: {error}",
                    self.server
                ),
            )
        })
    }

    /// The body is over; the answer is, too, if its mark was read.
    fn end(&mut self) -> Result<Frame> {
        if !has_ended(&mut self.decoder) {
            return Err(self.broke_off("the end is missing"));
        }
        Ok(Frame::End(Trailer {
            rows: self.rows,
            elapsed_us: u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX),
            plugins: Vec::new(),
        }))
    }

    fn broke_off(&self, why: &str) -> Error {
        Error::new(
            Fault::Unavailable,
            format!(
                "answer of server \"{}\" broke off after {} rows: {why}",
                self.server, self.rows
            ),
        )
        .with_hint("Run the statement again; the server's log says why it stopped.")
    }
}

/// Whether the end-of-stream mark was read. The decoder calls a stream finished that stops between two messages; only
/// after the mark it takes no further byte.
fn has_ended(decoder: &mut StreamDecoder) -> bool {
    let probe: Result<_, ArrowError> = decoder.decode(&mut Buffer::from(vec![0xff_u8]));
    probe.is_err()
}

/// The versions of the tables: `leads=3,revenue=12`.
fn versions(headers: &HeaderMap) -> BTreeMap<String, u64> {
    let stated = headers
        .get("x-tributary-tables")
        .and_then(|value| value.to_str().ok());
    stated
        .unwrap_or_default()
        .split(',')
        .filter_map(|pair| pair.split_once('='))
        .filter_map(|(table, version)| Some((table.to_owned(), version.parse().ok()?)))
        .collect()
}

/// As much of a body as is wanted and arrives.
async fn body(response: &mut Response, bytes_max: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > bytes_max {
            bytes.truncate(bytes_max);
            break;
        }
    }
    bytes
}

/// The innermost reason, which is the one that a person can act on.
fn cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::Int64Array;
    use arrow::datatypes::{DataType, Field, Schema};
    use arrow::ipc::writer::StreamWriter;

    use super::*;

    #[test]
    fn takes_the_address_of_a_server_and_nothing_else() {
        for text in [
            "http://127.0.0.1:7070",
            "https://host/",
            "http://[::1]:1/base",
        ] {
            assert!(address(text).is_ok(), "{text}");
        }
        for text in [
            "127.0.0.1:7070",
            "localhost:7070",
            "ftp://host",
            "http://",
            "http://u:p@host",
            "http://h?x=1",
            "",
        ] {
            assert!(address(text).is_err(), "{text}");
        }
    }

    #[test]
    fn gives_an_error_back_as_the_server_had_it() {
        let error = |body: &str| {
            let refusal: Refusal = serde_json::from_str(body).expect("a refusal");
            refusal.error()
        };
        let missing = error(r#"{"code":"missing","message":"m","hint":"Look.","request_id":"r"}"#)
            .expect("known");
        assert_eq!(
            (missing.fault(), missing.message(), missing.hint()),
            (Fault::Missing, "m", Some("Look."))
        );
        let internal = error(r#"{"code":"internal","message":"m","hint":null,"request_id":"r7"}"#)
            .expect("known");
        assert!(internal.hint().is_some_and(|hint| hint.contains("r7")));
        assert!(error(r#"{"code":"gone","message":"m"}"#).is_none());
    }

    #[test]
    fn a_stream_ends_with_its_mark_and_not_before() {
        let schema = Arc::new(Schema::new(vec![Field::new("n", DataType::Int64, false)]));
        let batch = RecordBatch::try_new(
            Arc::clone(&schema),
            vec![Arc::new(Int64Array::from(vec![-1, 0]))],
        );
        let mut writer = StreamWriter::try_new(Vec::new(), &schema).expect("writes");
        writer.write(&batch.expect("a batch")).expect("writes");
        let without_mark = writer.get_ref().clone();
        writer.finish().expect("writes");
        let whole = writer.get_ref().clone();
        for (bytes, ended) in [(without_mark, false), (whole, true)] {
            let mut decoder = StreamDecoder::new();
            let mut buffer = Buffer::from(bytes);
            let rows = decoder
                .decode(&mut buffer)
                .expect("decodes")
                .map(|batch| batch.num_rows());
            assert_eq!(rows, Some(2));
            while !buffer.is_empty() {
                assert!(decoder.decode(&mut buffer).expect("decodes").is_none());
            }
            assert_eq!(has_ended(&mut decoder), ended);
        }
    }

    #[test]
    fn reads_the_versions_of_the_tables() {
        let mut headers = HeaderMap::new();
        assert!(versions(&headers).is_empty());
        headers.insert(
            "x-tributary-tables",
            "leads=3,revenue=12".parse().expect("a value"),
        );
        assert_eq!(
            versions(&headers),
            BTreeMap::from([("leads".to_owned(), 3), ("revenue".to_owned(), 12)])
        );
    }
}
