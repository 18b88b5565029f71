//! Requests without a browser, as programs and peers send them. Redirects are answers and not followed.

use anyhow::Context;
use reqwest::redirect::Policy;
use reqwest::{Client, Method, Response};
use std::time::Duration;
use tokio::runtime::Runtime;

/// Somebody who sends requests.
pub struct Http {
    client: Client,
    runtime: Runtime,
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Status.
    pub status: u16,
    /// Names in lower case and values.
    pub headers: Vec<(String, String)>,
    /// Body as text.
    pub text: String,
    /// Body as it came.
    pub bytes: Vec<u8>,
}

impl Answer {
    /// A header, empty if there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(n, _)| n == name).map_or("", |(_, value)| value)
    }
    /// The body without the number of this request, which error pages name.
    pub fn known(&self) -> String {
        let id = self.header("x-request-id");
        if id.is_empty() { self.text.clone() } else { self.text.replace(id, "[request]") }
    }
    /// The body as JSON.
    pub fn json(&self) -> anyhow::Result<serde_json::Value> {
        serde_json::from_str(&self.text).with_context(|| format!("no JSON: {}", self.text.chars().take(200).collect::<String>()))
    }
}

impl Http {
    /// Ready to send.
    pub fn new() -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let client = Client::builder().redirect(Policy::none()).timeout(Duration::from_secs(60)).build()?;
        Ok(Self { client, runtime })
    }

    /// GET.
    pub fn get(&self, url: &str) -> anyhow::Result<Answer> {
        self.send("GET", url, &[], Vec::new())
    }

    /// Any request.
    pub fn send(&self, method: &str, url: &str, headers: &[(&str, &str)], body: Vec<u8>) -> anyhow::Result<Answer> {
        self.runtime.block_on(async {
            let mut request = self.client.request(Method::from_bytes(method.as_bytes())?, url).body(body);
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            read(request.send().await?).await
        })
    }
}

async fn read(response: Response) -> anyhow::Result<Answer> {
    let status = response.status().as_u16();
    let headers = response.headers().iter().map(|(n, v)| (n.to_string(), String::from_utf8_lossy(v.as_bytes()).into_owned())).collect();
    let bytes = response.bytes().await?.to_vec();
    Ok(Answer { status, headers, text: String::from_utf8_lossy(&bytes).into_owned(), bytes })
}
