//! Asking other machines that are no nodes: lists that a steward allowed. Small, short, to public addresses only, and never where an answer points to.
//! Connections to other nodes are in `sync::transport`.

use crate::App;
use crate::sync::transport::handshake;
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::Request;
use hyper::http::request::Builder;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::net::TcpStream;

/// Longest time for everything: looking the name up, connecting, the whole answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// What may be asked. Set by whoever starts the process.
#[derive(Debug, Default)]
pub struct Rules {
    /// Addresses inside the house (10.…, 192.168.…, this machine) may be asked too.
    intranet: AtomicBool,
    /// Pages that visitors show may be read.
    links: AtomicBool,
    /// The command that reads words in pictures, with its arguments.
    pictures: OnceLock<Vec<String>>,
}

impl Rules {
    /// The command that reads words in pictures, if there is one.
    pub(crate) fn picture_command(&self) -> Option<&[String]> {
        self.pictures.get().map(Vec::as_slice)
    }
    /// Whether pages that visitors show may be read.
    pub(crate) fn reads_links(&self) -> bool {
        self.links.load(Ordering::Relaxed)
    }
}

impl App {
    /// Says whether addresses inside the house may be asked: for lists that an office keeps for itself.
    pub fn allow_intranet(&self, yes: bool) {
        self.outside.intranet.store(yes, Ordering::Relaxed);
    }
    /// Says whether pages that visitors show may be read.
    pub fn allow_links(&self, yes: bool) {
        self.outside.links.store(yes, Ordering::Relaxed);
    }
    /// Names the command that reads the words in pictures: a program and its arguments, parted by spaces; the picture is its standard input. Said once.
    pub fn read_pictures_with(&self, command: &str) {
        let words: Vec<String> = command.split_whitespace().map(str::to_owned).collect();
        if !words.is_empty() {
            self.outside.pictures.get_or_init(|| words);
        }
    }
    /// Whether words in pictures can be read, and pages behind links.
    pub fn reads_shown(&self) -> (bool, bool) {
        (self.outside.picture_command().is_some(), self.outside.reads_links())
    }
}

/// An address that can be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// Whether it is https.
    pub secure: bool,
    /// Name, with the port where it is no usual one; as stewards allow it.
    pub host: String,
    /// Path and query, beginning with a slash.
    pub path: String,
}

impl Address {
    /// Reads `https://host/path` or `http://host:port/path`: no user names, no fragments, nothing that is no host name.
    pub fn parse(text: &str) -> Option<Self> {
        let (secure, rest) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
            (Some(rest), _) => (true, rest),
            (_, Some(rest)) => (false, rest),
            _ => return None,
        };
        let at = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (host, path) = rest.split_at(at);
        let (name, port) = host.rsplit_once(':').map_or((host, None), |(name, port)| (name, Some(port)));
        let named = !name.is_empty()
            && name.len() <= 253
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'))
            && !name.starts_with(['.', '-']);
        let port_ok = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0));
        let path_ok = path.len() <= 2_000 && path.bytes().all(|b| b.is_ascii_graphic()) && !path.contains('#');
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        (named && port_ok && path_ok).then(|| Self { secure, host: host.to_ascii_lowercase(), path })
    }

    fn socket(&self) -> String {
        if self.host.contains(':') { self.host.clone() } else { format!("{}:{}", self.host, if self.secure { 443 } else { 80 }) }
    }
}

/// Why nothing came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The name leads into the house.
    Private,
    /// It answers that it is elsewhere now.
    Moved,
    /// It answers with an error.
    Status(u16),
    /// More than was asked for.
    Large,
    /// It cannot be reached, or breaks off.
    Failed(String),
}

/// The body at an address, at most `max` bytes.
pub async fn get(app: &App, address: &Address, max: usize) -> Result<Vec<u8>, Refusal> {
    let request = Request::get(&address.path).header("accept", "application/rss+xml, application/atom+xml, application/json, text/csv, */*;q=0.5");
    within(app, address, request, vec![], max).await
}

/// Sends a body to an address; the answer, at most `max` bytes.
pub async fn post(app: &App, address: &Address, headers: &[(&str, String)], body: Vec<u8>, max: usize) -> Result<Vec<u8>, Refusal> {
    let request = headers.iter().fold(Request::post(&address.path), |request, (name, value)| request.header(*name, value));
    within(app, address, request, body, max).await
}

async fn within(app: &App, address: &Address, request: Builder, body: Vec<u8>, max: usize) -> Result<Vec<u8>, Refusal> {
    match tokio::time::timeout(PATIENCE, ask(app, address, request, body, max)).await {
        Ok(result) => result,
        Err(_) => Err(Refusal::Failed(format!("no whole answer within {} seconds", PATIENCE.as_secs()))),
    }
}

async fn ask(app: &App, address: &Address, request: Builder, body: Vec<u8>, max: usize) -> Result<Vec<u8>, Refusal> {
    let failed = |cause: &dyn std::fmt::Display| Refusal::Failed(cause.to_string());
    let found: Vec<SocketAddr> = tokio::net::lookup_host(address.socket()).await.map_err(|e| failed(&e))?.collect();
    let intranet = app.outside.intranet.load(Ordering::Relaxed);
    // The very addresses that were looked at are connected to: a name that leads elsewhere a moment later leads nowhere.
    let usable: Vec<SocketAddr> = found.iter().copied().filter(|at| intranet || is_public(at.ip())).collect();
    if usable.is_empty() {
        return Err(if found.is_empty() { Refusal::Failed("the name is unknown".into()) } else { Refusal::Private });
    }
    let stream = TcpStream::connect(&usable[..]).await.map_err(|e| failed(&e))?;
    let mut sender = if address.secure {
        let name = address.host.split(':').next().unwrap_or_default().to_owned();
        let name = rustls::pki_types::ServerName::try_from(name).map_err(|e| failed(&e))?;
        let roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        let config = rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        let stream = tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, stream).await.map_err(|e| failed(&e))?;
        handshake::<_, Full<Bytes>>(stream).await.map_err(Refusal::Failed)?
    } else {
        handshake::<_, Full<Bytes>>(stream).await.map_err(Refusal::Failed)?
    };
    let request = request.header("host", &address.host).header("user-agent", "Kepu").body(Full::new(Bytes::from(body))).map_err(|e| failed(&e))?;
    let response = sender.send_request(request).await.map_err(|e| failed(&e))?;
    match response.status() {
        status if status.is_success() => {}
        status if status.is_redirection() => return Err(Refusal::Moved),
        status => return Err(Refusal::Status(status.as_u16())),
    }
    match Limited::new(response.into_body(), max).collect().await {
        Ok(whole) => Ok(whole.to_bytes().to_vec()),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => Err(Refusal::Large),
        Err(error) => Err(Refusal::Failed(error.to_string())),
    }
}

/// Whether an address is one of the open network: not this machine, not the house, not a group.
fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            let shared = a == 100 && (64..128).contains(&b);
            let special = a == 0 || a >= 240 || (a == 192 && b == 0 && c == 0) || (a == 198 && (b == 18 || b == 19));
            !(v4.is_private() || v4.is_loopback() || v4.is_link_local() || v4.is_broadcast() || v4.is_documentation() || v4.is_multicast() || shared || special)
        }
        IpAddr::V6(v6) => {
            if let Some(v4) = v6.to_ipv4_mapped() {
                return is_public(IpAddr::V4(v4));
            }
            let [first, second, ..] = v6.segments();
            // Unique local, link local, documentation, and the prefixes that carry an IPv4 address inside.
            let inside = (first & 0xfe00) == 0xfc00
                || (first & 0xffc0) == 0xfe80
                || (first == 0x2001 && second == 0xdb8)
                || first == 0x2002
                || (first == 0x64 && second == 0xff9b);
            !(v6.is_loopback() || v6.is_unspecified() || v6.is_multicast() || inside || (first == 0 && second == 0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_addresses_are_read() {
        let parse = |text: &str| Address::parse(text).map(|a| (a.secure, a.host, a.path));
        assert_eq!(parse("https://www.Example.cn/a?b=1"), Some((true, "www.example.cn".into(), "/a?b=1".into())));
        assert_eq!(parse("http://10.0.0.1:8080"), Some((false, "10.0.0.1:8080".into(), "/".into())));
        for bad in [
            "",
            "ftp://a.cn/",
            "https://",
            "https://u:p@a.cn/",
            "https://a.cn/#x",
            "https://a.cn/ x",
            "https://[::1]/",
            "https://a.cn:0/",
            "//a.cn",
            "https://a_b.cn/",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn addresses_inside_the_house_are_told_apart() {
        for inside in [
            "127.0.0.1",
            "10.1.2.3",
            "192.168.0.1",
            "172.16.0.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "255.255.255.255",
            "::1",
            "fe80::1",
            "fd00::1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "224.0.0.1",
        ] {
            assert!(!is_public(inside.parse().expect("address")), "{inside}");
        }
        for outside in ["1.1.1.1", "223.5.5.5", "2400:3200::1"] {
            assert!(is_public(outside.parse().expect("address")), "{outside}");
        }
    }
}
