//! The network as everybody may see it: which nodes, until when withdrawals were checked, what reached how many.

use crate::Web;
use crate::line::title_of;
use crate::page::{Answer, Html, Req, Shell, page};
use crate::problem::size;
use crate::urls;
use askama::Template;
use axum::extract::State;
use kepu_app::record::heads::{Trouble, What};
use kepu_app::{AppError, node};
use kepu_domain::ids::KeyId;
use kepu_domain::org::Region;
use kepu_domain::trust::TrustView;
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
    /// Last contact with a node above; none for a node that has none.
    contact: Option<Html>,
    /// What is wrong with histories, in sentences.
    troubles: Vec<String>,
    /// Names of the nodes that must be heard after a restored backup.
    waits_for: String,
    files: String,
    files_wanted: String,
    parents: Vec<Node>,
    children: Vec<Node>,
    latest: Vec<Reach>,
}

/// GET /network
pub async fn show(State(web): State<Web>, req: Req) -> Answer {
    let s = req.titled(req.shell.t("network-title"));
    let overview = node::overview(&web.app).await?;
    let mut tx = web.app.db.read().await.map_err(AppError::from)?;
    let names = web.app.trust(&mut tx).await?;
    drop(tx);
    let peer = |peer: &Peer| Node {
        name: peer.name.clone(),
        key: peer.id.fingerprint(),
        seen: peer.last_seen.map_or_else(|| Html(s.t("network-never")), |at| s.time(&at)),
    };
    let reach = |(row, reached, of): &(kepu_store::subject::Row, usize, usize)| Reach {
        href: urls::of_kind(&row.kind, &row.id),
        title: title_of(&s, row),
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
        contact: (!overview.parents.is_empty()).then(|| overview.contact.map_or_else(|| Html(s.t("network-never")), |at| s.time(&at))),
        troubles: overview.troubles.iter().take(20).map(|one| trouble(&s, &names, one)).collect(),
        waits_for: overview.waits_for.join(s.t("list-comma").as_str()),
        files: s.t2("network-files-here", "count", overview.files.totals.have, "size", bytes(overview.files.totals.have_bytes)),
        files_wanted: match overview.files.totals.wanted {
            0 => String::new(),
            count => s.t2("network-files-wanted", "count", count, "size", bytes(overview.files.totals.wanted_bytes)),
        },
        parents: overview.parents.iter().map(peer).collect(),
        children: overview.children.iter().map(peer).collect(),
        latest: overview.latest.iter().map(reach).collect(),
        s,
    }))
}

fn bytes(count: i64) -> String {
    size(u64::try_from(count).unwrap_or(0))
}

/// One thing that is wrong with a history, for people: whose, what, and what it means.
fn trouble(s: &Shell, names: &TrustView, trouble: &Trouble) -> String {
    let who = names.grant(&trouble.key).map(|grant| grant.holder.clone()).filter(|name| !name.is_empty()).unwrap_or_else(|| trouble.key.fingerprint());
    let stream = s.t(&format!("stream-{}", trouble.stream));
    match &trouble.what {
        What::Forked { n } => s.t3("network-forked", "who", who, "stream", stream, "n", n),
        What::Differs { n } => s.t3("network-differs", "who", who, "stream", stream, "n", n),
        What::Missing(ranges) => {
            let count: i64 = ranges.iter().map(|(from, to)| to - from + 1).sum();
            s.t3("network-missing", "who", who, "stream", stream, "count", count)
        }
    }
}
