//! What is withdrawn leaves every channel of every node that has synced: search, feeds, harvest, cards, screens, site map, packs.

use anyhow::{Context, ensure};
use kepu_app::deliver::pack::{self, Make};
use kepu_app::{App, Options};
use kepu_domain::access::Actor;
use kepu_domain::ids::SubjectId;
use kepu_domain::org::Region;
use kepu_tests::http::Http;
use kepu_tests::{Node, Served, wait_for};

const REASON: &str = "剂量写错了，请不要照着做";

/// A node that is served, with the pack of its county.
struct Place {
    node: Node,
    served: Served,
    pack: String,
    items: Vec<(SubjectId, String)>,
}

async fn open(node: &Node) -> anyhow::Result<App> {
    Ok(App::open(Options { data: node.data().to_owned(), database: None, index: false }).await?)
}

async fn packed(node: Node, served: Served) -> anyhow::Result<Place> {
    let app = open(&node).await?;
    let operator = Actor::Node { name: "operator".into() };
    let asked = Make { region: Some(Region::parse("411525")?), lang: "zh-Hans".into(), ..Make::default() };
    let id = pack::make(&app, &operator, asked).await?;
    let view = pack::view(&app, &operator, &id).await?;
    let items = view.pack.items.iter().map(|item| (item.subject.clone(), item.title.clone())).collect();
    Ok(Place { node, served, pack: id.0, items })
}

impl Place {
    fn get(&self, http: &Http, path: &str) -> anyhow::Result<(u16, String)> {
        let answer = http.get(&format!("{}{path}", self.served.url()))?;
        Ok((answer.status, answer.text))
    }

    /// Everything that the screen shows on its way round.
    fn wall(&self, http: &Http) -> anyhow::Result<String> {
        let mut all = String::new();
        for n in 1..=12 {
            all.push_str(&self.get(http, &format!("/screen?region=411525&still=1&n={n}"))?.1);
        }
        Ok(all)
    }

    fn searched(&self, http: &Http, title: &str, page: &str) -> anyhow::Result<bool> {
        Ok(self.get(http, &format!("/search?q={}", kepu_web::urls::encode(title)))?.1.contains(page))
    }
}

fn datestamp(xml: &str) -> &str {
    xml.split("<datestamp>").nth(1).and_then(|rest| rest.split('<').next()).unwrap_or_default()
}

#[test]
fn a_withdrawal_empties_every_channel_of_both_nodes() -> anyhow::Result<()> {
    let (nation, county, http) = (Node::init("国家示例", "000000")?, Node::init("县示例", "411525")?, Http::new()?);
    nation.run(&["seed"])?;
    let served = nation.serve()?;
    nation.adopt(&county, "411525", &served.url())?;
    county.json(&["sync"])?;
    let county_served = county.serve()?;
    let runtime = tokio::runtime::Runtime::new()?;
    let (here, there) = runtime.block_on(async { anyhow::Ok((packed(nation, served).await?, packed(county, county_served).await?)) })?;
    let (id, title) = here.items.iter().find(|item| there.items.contains(item)).context("both packs have something in common")?.clone();
    let page = kepu_web::urls::resource(&id);
    let card = kepu_web::urls::embed("resource", &id);
    let record = format!("/oai?verb=GetRecord&metadataPrefix=oai_dc&identifier={id}");
    for place in [&here, &there] {
        wait_for("the index", || place.searched(&http, &title, &page).unwrap_or_default())?;
        ensure!(place.get(&http, &card)?.0 == 200 && place.get(&http, &record)?.1.contains("<metadata>"));
        ensure!(place.get(&http, "/sitemap.xml")?.1.contains(&page));
        ensure!(place.get(&http, &format!("/packs/{}/chat.txt", place.pack))?.1.contains(&title));
        // Printed, or told what to install: never boxes.
        let (status, sheet) = place.get(&http, &format!("/packs/{}/a3.pdf", place.pack))?;
        ensure!((status == 200 && sheet.starts_with("%PDF")) || (status == 422 && sheet.contains("apt")), "{status}");
        // Making the tables anew is no change: nobody has to harvest everything again.
        let before = place.get(&http, &record)?.1;
        place.node.json(&["rebuild"])?;
        ensure!(datestamp(&before) == datestamp(&place.get(&http, &record)?.1) && !datestamp(&before).is_empty());
    }
    let fields = kepu_web::urls::with("/feed.json", &[("kind", "resource")]);
    runtime.block_on(async {
        let operator = Actor::Node { name: "operator".into() };
        anyhow::Ok(kepu_app::create::take_back::withdraw(&open(&here.node).await?, &operator, &id, REASON).await?)
    })?;
    there.node.json(&["sync"])?;
    for place in [&here, &there] {
        let url = place.served.url();
        wait_for("search to forget it", || place.searched(&http, &title, &page).is_ok_and(|found| !found))?;
        let atom = place.get(&http, "/feed.atom?kind=resource")?.1;
        ensure!(atom.contains(&format!("<at:deleted-entry ref=\"{id}\"")) && !atom.contains(&format!("<id>{id}</id>")), "{url}: {atom}");
        let json = place.get(&http, &fields)?.1;
        ensure!(json.contains(REASON) && !json.contains(&format!("\"id\":\"{id}\",\"language\"")), "{url}: {json}");
        let harvested = place.get(&http, &record)?.1;
        ensure!(harvested.contains("status=\"deleted\"") && !harvested.contains("<metadata>"), "{url}: {harvested}");
        let (status, shown) = place.get(&http, &card)?;
        ensure!(status == 410 && shown.contains(REASON) && !shown.contains(&title), "{url}: {shown}");
        ensure!(place.get(&http, &format!("/shelf/status?ids={id}"))?.1.contains("\"withdrawn\""), "{url}: the shelf");
        ensure!(!place.wall(&http)?.contains(&title), "{url}: the screen");
        ensure!(!place.get(&http, "/sitemap.xml")?.1.contains(&page), "{url}: the site map");
        let pack = place.get(&http, &format!("/packs/{}", place.pack))?.1;
        ensure!(pack.contains(REASON) && pack.contains("请取下"), "{url}: {pack}");
        for file in ["chat.txt", "broadcast.txt", "chalk.txt"] {
            ensure!(!place.get(&http, &format!("/packs/{}/{file}", place.pack))?.1.contains(&title), "{url}: {file}");
        }
    }
    Ok(())
}
