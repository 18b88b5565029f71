//! The network as everybody may see it: which nodes, until when withdrawals were checked, what reached how many.

use crate::Web;
use crate::page::{Answer, Html, Req, Shell, page};
use crate::urls;
use askama::Template;
use axum::extract::State;
use kepu_app::node;
use kepu_domain::ids::KeyId;
use kepu_domain::org::Region;
use kepu_store::peer::Peer;

/// Another node as visitors see it: name and last contact, no address.
struct Node {
    name: String,
    key: String,
    seen: Html,
}

/// How far a public change has travelled.
struct Reach {
    href: String,
    title: String,
    time: Html,
    reached: usize,
    of: usize,
    all: bool,
}

#[derive(Template)]
#[template(path = "deliver/network.html")]
struct NetworkPage {
    s: Shell,
    name: String,
    key: String,
    digits: String,
    root: KeyId,
    is_root: bool,
    region: Region,
    records: i64,
    state: String,
    checked: Html,
    parents: Vec<Node>,
    children: Vec<Node>,
    latest: Vec<Reach>,
}

/// GET /network
pub async fn show(State(web): State<Web>, req: Req) -> Answer {
    let s = req.titled(req.shell.t("network-title"));
    let overview = node::overview(&web.app).await?;
    let peer = |peer: &Peer| Node {
        name: peer.name.clone(),
        key: peer.id.fingerprint(),
        seen: peer.last_seen.map_or_else(|| Html(s.t("network-never")), |at| s.time(&at)),
    };
    let reach = |(row, reached, of): &(kepu_store::subject::Row, usize, usize)| Reach {
        href: urls::of_kind(&row.kind, &row.id),
        title: if row.title.is_empty() { row.id.0.clone() } else { s.pick(&row.title, &row.title_en).to_owned() },
        time: s.time_ms(&row.modified),
        reached: *reached,
        of: *of,
        all: reached == of,
    };
    Ok(page(&NetworkPage {
        name: overview.me.name.clone(),
        key: overview.me.id.0.clone(),
        digits: overview.me.id.digits(),
        is_root: overview.me.root == overview.me.id,
        root: overview.me.root.clone(),
        region: overview.me.region,
        records: overview.me.records,
        state: overview.me.state.clone(),
        checked: overview.checked_until.map_or_else(|| Html(s.t("network-never")), |at| s.time(&at)),
        parents: overview.parents.iter().map(peer).collect(),
        children: overview.children.iter().map(peer).collect(),
        latest: overview.latest.iter().map(reach).collect(),
        s,
    }))
}
