//! What every route answers to a visitor, to each role in the house, to somebody with the same roles in another place and to another node:
//! the list `tests/access.csv`, driven against the real program. A cell is the status; a POST is a form with the
//! sender's own token, empty where that is enough, so 422 or 303 mean "may", 401, 403 and 404 mean "may not". Rights inside the operations are tested there.

use anyhow::{Context, bail, ensure};
use kepu_app::{App, Options, sync};
use kepu_tests::Node;
use kepu_tests::house::House;
use kepu_tests::http::Http;
use std::collections::BTreeMap;

/// What forms say whose answer depends on more than who sends them; every other form is empty.
const FORMS: [(&str, &str); 24] = [
    ("/case/{id}/classify", "fields=health&level=2"),
    ("/case/{id}/expert", "party=p-zhou"),
    ("/case/{id}/hold", "known=没有研究支持这个说法。&not_known=说法从哪里来。&next_hours=20"),
    ("/case/{id}/note", "note=记下一句"),
    ("/case/{id}/close", "reason=已由别的部门答复，见其网站。&confirm=1"),
    ("/drafts/{id}/assign", "reviewer=p-meng"),
    ("/reviews/{id}/decline", "reason=这个月没有时间"),
    ("/correct", "id=kepu:{claim}"),
    ("/withdraw/{owner}/{local}", "reason="),
    ("/media", "draft={resource_draft}"),
    ("/remarks", "draft={draft}"),
    ("/jobs", "kind=reindex"),
    ("/registry/{id}/consent", "purpose=public_card&given=1"),
    ("/registry/{id}/register", "register=experts&inside=1"),
    ("/registry/{id}/verify", "at=0"),
    ("/registry/{id}/merge", "into={entry}"),
    ("/round/{id}/object", "application=sample-publicity-1"),
    ("/listen/topic/{id}", "do=open"),
    ("/intake/new", "kind=list&org=org-nat"),
    ("/intake/{id}", "do=on"),
    ("/drills/{owner}/{local}/join", "org=org-nat"),
    ("/decisions/{owner}/{local}/take", "ask=a1&org=org-nat"),
    ("/duty/new", "org=org-nat&post=officer"),
    ("/duty/away", "party=p-wei&from=2036-03-03&to=2036-03-04"),
];

/// Columns of the list after method and path.
const COLUMNS: [&str; 12] = [
    "visitor",
    "contributor",
    "reviewer",
    "editor",
    "duty_officer",
    "steward",
    "statistician",
    "system_admin",
    "security_admin",
    "audit_admin",
    "elsewhere",
    "peer",
];

type List = BTreeMap<(String, String), Vec<String>>;

fn read_list() -> anyhow::Result<List> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/access.csv");
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_path(path)?;
    let wanted: Vec<&str> = ["method", "path"].into_iter().chain(COLUMNS).collect();
    ensure!(reader.headers()?.iter().eq(wanted.iter().copied()), "the columns of {path} are {}", wanted.join(","));
    let mut list = List::new();
    for row in reader.records() {
        let row = row?;
        list.insert((row[0].to_owned(), row[1].to_owned()), row.iter().skip(2).map(str::to_owned).collect());
    }
    Ok(list)
}

struct Town {
    house: House,
    /// A county node that joined the house, to sign as a peer.
    county: App,
    _county: Node,
    http: Http,
}

impl Town {
    fn open() -> anyhow::Result<Self> {
        let house = House::open()?;
        let node = Node::init("县示例", "411525")?;
        house.node.adopt(&node, "411525", &house.url())?;
        let county = house.runtime.block_on(App::open(Options { data: node.data().to_owned(), database: None, index: false }))?;
        Ok(Self { house, county, _county: node, http: Http::new()? })
    }

    /// Sends what `column` would send, and gives the status.
    fn ask(&self, method: &str, path: &str, column: &str, from: &str) -> anyhow::Result<u16> {
        let target = self.house.example(method, path)?;
        let mut headers = vec![("x-forwarded-for", from.to_owned()), ("accept", "text/html".to_owned())];
        let said = FORMS.iter().find(|(route, _)| *route == path).map_or("", |(_, said)| said);
        let mut form = self.house.address(said)?;
        if !matches!(column, "visitor" | "peer") {
            let session = self.house.new_session(column)?;
            headers.push(("cookie", format!("kepu_session={}", session.token)));
            form = format!("{form}&_csrf={}", session.csrf);
        }
        let body = match (method, path) {
            ("GET", _) | (_, "/sync") => Vec::new(),
            (_, "/join" | "/api/questions") => b"{}".to_vec(),
            (_, "/media" | "/remarks" | "/import" | "/check/picture" | "/certificates/bring" | "/application/{id}/proofs") => {
                headers.push(("content-type", "multipart/form-data; boundary=kepu".into()));
                let pairs = form.split('&').filter_map(|pair| pair.split_once('='));
                let parts = pairs.map(|(name, value)| format!("--kepu\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"));
                format!("{}--kepu--\r\n", parts.collect::<String>()).into_bytes()
            }
            _ => {
                headers.push(("content-type", "application/x-www-form-urlencoded".into()));
                form.into_bytes()
            }
        };
        if path.starts_with("/api/") && method == "POST" {
            headers.push(("content-type", "application/json".into()));
        }
        if column == "peer" {
            headers.push(("authorization", sync::authorize(&self.county, &target, &body)));
        }
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        Ok(self.http.send(method, &format!("{}{target}", self.house.url()), &headers, body)?.status)
    }
}

#[test]
fn every_route_answers_everybody_as_the_list_says() -> anyhow::Result<()> {
    let list = read_list()?;
    let town = Town::open()?;
    let mut wrong = Vec::new();
    for (n, (method, path)) in kepu_web::routes::declared().into_iter().enumerate() {
        let expected = list.get(&(method.to_owned(), path.to_owned()));
        let mut got = Vec::new();
        for (m, column) in COLUMNS.iter().enumerate() {
            let status = town.ask(method, path, column, &format!("10.1.{n}.{m}")).with_context(|| format!("{method} {path} as {column}"))?;
            got.push(status.to_string());
        }
        if let Some(failed) = got.iter().position(|status| status.starts_with('5')) {
            bail!("{method} {path} as {} failed with {}", COLUMNS[failed], got[failed]);
        }
        let row = format!("{method},{path},{}", got.join(","));
        match expected {
            None => wrong.push(format!("no row; if this is what should be, paste:\n{row}")),
            Some(expected) if *expected != got => {
                let differ: Vec<String> = COLUMNS
                    .iter()
                    .zip(expected.iter().zip(&got))
                    .filter(|(_, (expected, got))| expected != got)
                    .map(|(column, (expected, got))| format!("{column} gets {got} and not {expected}"))
                    .collect();
                wrong.push(format!("{method} {path}: {}\n{row}", differ.join(", ")));
            }
            Some(_) => {}
        }
    }
    ensure!(wrong.is_empty(), "{} routes differ from tests/access.csv:\n{}", wrong.len(), wrong.join("\n"));
    Ok(())
}
