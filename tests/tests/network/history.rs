//! Signed heads against what was received, and bodies that go while their places stay.

use super::{item, items, make_parent, open, operator, pair, pin, problems, receive, sign, state};
use kepu_app::record::heads;
use kepu_app::{record, sync};
use kepu_domain::create::card::Card;
use kepu_domain::create::party::PartyKind;
use kepu_domain::record::{Body, Place, Retraction, Stream};
use kepu_domain::trust::TrustDoc;
use kepu_sync::frame::{self, Frame, Item, Records};
use kepu_tests::{Node, fake_parent, response, wait_for};

#[test]
fn a_head_that_fits_says_until_when_withdrawals_are_known() -> anyhow::Result<()> {
    let (nation, county, _served) = pair()?;
    nation.publish(20, "历史")?;
    assert_eq!(nation.json(&["node", "head"])?["signed"], true);
    assert_eq!(nation.json(&["node", "head"])?["signed"], false, "nothing was said since");
    county.run(&["sync"])?;
    let show = county.json(&["node", "show"])?;
    assert_eq!(show["problems"].as_array().map(Vec::len), Some(0), "{show}");
    let time = |show: &serde_json::Value, name: &str| show[name].as_str().and_then(|text| text.parse::<jiff::Timestamp>().ok());
    let until = time(&show, "checked_until");
    assert!(until.is_some() && until < time(&show, "contact"), "the head is older than the contact: {show}");
    // More history, another head: compared by going on from the first.
    nation.publish(5, "后续")?;
    assert_eq!(nation.json(&["node", "head"])?["signed"], true);
    county.run(&["sync"])?;
    let show = county.json(&["node", "show"])?;
    assert!(time(&show, "checked_until") >= until && show["problems"].as_array().map(Vec::len) == Some(0), "{show}");
    Ok(())
}

/// Answers the first exchange with `items`, and says afterwards that there is nothing new.
fn parent_with(list: Vec<Item>) -> anyhow::Result<std::net::SocketAddr> {
    fake_parent(move |asked| {
        if asked.line.contains("cur=zz.") {
            return response("204 No Content", "", b"");
        }
        let mut body = Vec::new();
        for class in [Stream::Trust, Stream::Alert, Stream::Lib] {
            let items = list.iter().filter(|item| item.place.stream == class).cloned().collect();
            let records = Records { class, epoch: "zz".into(), above: 0, up_to: 99, items, skips: vec![] };
            body.extend(frame::write(&Frame::Records(records), 3).expect("packed"));
        }
        response("200 OK", "", &body)
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parent_that_withholds_a_withdrawal_is_found_out() -> anyhow::Result<()> {
    let nation = Node::init("国家", "000000")?;
    nation.publish(3, "扣留")?;
    let above = open(&nation).await;
    let mut tx = above.db.read().await?;
    let row = kepu_store::subject::list(&mut tx, &Default::default(), Default::default(), None, 1).await?.remove(0);
    drop(tx);
    kepu_app::create::take_back::withdraw(&above, &operator(), &row.id, "依据有误，现予撤回").await?;
    record::publish_head(&above).await?;
    let all = items(&above).await;
    let honest = all.len();
    let address = parent_with(all.into_iter().filter(|item| item.place.stream != Stream::Alert).collect())?;
    let county = Node::init("县", "411525")?;
    let app = open(&county).await;
    pin(&app, above.key.id()).await;
    make_parent(&app, "did:key:zMiddle", address).await;
    let done = sync::run(&app, 0).await?.remove(0);
    assert_eq!((done.error, done.pulled), (None, honest - 1));
    assert_eq!(done.missing, [format!("{}/alert/1-1", above.key.id())]);
    let found = problems(&county)?;
    assert!(found.len() == 1 && found[0]["what"]["missing"] == serde_json::json!([[1, 1]]) && found[0]["stream"] == "alert", "{found:?}");
    assert_eq!(county.json(&["node", "show"])?["checked_until"], county.json(&["node", "show"])?["contact"], "nothing is proved");
    // The withdrawal comes another way, and all is well.
    receive(&app, items(&above).await).await;
    heads::compare_all(&app).await?;
    assert!(problems(&county)?.is_empty());
    assert_eq!(state(&app).await, state(&above).await);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rewritten_history_does_not_fit_its_head() -> anyhow::Result<()> {
    let (nation, county) = (Node::init("国家", "000000")?, Node::init("县", "411525")?);
    let (above, app) = (open(&nation).await, open(&county).await);
    pin(&app, above.key.id()).await;
    let retraction = |reason: &str| Body::Retraction(Retraction { key: above.key.id().clone(), through: 1, reason: reason.into(), by: "中心".into() });
    // Everybody else gets the first of these, this county the second; the key commits to what everybody else got.
    let (shown, hidden) =
        (sign(&above, Stream::Alert, 1, "r-1", &retraction("给别人看的")), sign(&above, Stream::Alert, 1, "r-1", &retraction("给这个县看的")));
    let root = kepu_sync::merkle::root(&[shown.hash]);
    let head = sign(&above, Stream::Trust, 3, "head", &Body::Trust(TrustDoc::Head { heads: vec![(Stream::Alert, 1, root)] }));
    let mut list = items(&above).await;
    list.extend([item(&hidden), item(&head)]);
    receive(&app, list).await;
    heads::compare_all(&app).await?;
    let found = problems(&county)?;
    assert!(found.iter().any(|p| p["what"]["differs_from_head"] == 1 && p["stream"] == "alert"), "{found:?}");
    let mut tx = app.db.read().await?;
    let log = kepu_store::log::list(&mut tx, &Default::default(), None, 50).await?;
    assert!(log.iter().any(|entry| entry.action == "history.differs"));
    drop(tx);
    // Who meets the other one as well holds the proof of a fork.
    let report = receive(&app, vec![item(&shown)]).await;
    assert_eq!(report.forks, std::slice::from_ref(&shown.envelope.place));
    assert!(problems(&county)?.iter().any(|p| p["what"]["forked_at"] == 1));
    Ok(())
}

/// Files of a node's tables and index that hold these words.
fn files_with(node: &Node, words: &str) -> Vec<String> {
    fn walk(folder: &std::path::Path, words: &[u8], list: &mut Vec<String>) {
        for path in std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()) {
            if path.is_dir() {
                walk(&path, words, list);
            } else if path.extension().is_none_or(|end| end != "jsonl")
                && std::fs::read(&path).is_ok_and(|bytes| bytes.windows(words.len()).any(|window| window == words))
            {
                list.push(path.display().to_string());
            }
        }
    }
    let mut list = Vec::new();
    walk(node.data(), words.as_bytes(), &mut list);
    list
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erased_body_leaves_a_stub_that_travels_and_verifies() -> anyhow::Result<()> {
    let (nation, county, served) = pair()?;
    nation.publish(6, "删除")?;
    county.run(&["sync"])?;
    let key = nation.json(&["node", "show"])?["key"].as_str().unwrap_or_default().to_owned();
    let whole = nation.run(&["record", "show", &format!("{key}/lib/2")])?;
    let refused = nation.output(&["record", "erase", &format!("{key}/trust/1"), "--reason", "法院裁定"])?;
    assert!(String::from_utf8_lossy(&refused.stderr).contains("only library records"), "{refused:?}");
    nation.run(&["record", "erase", &format!("{key}/lib/2"), "--reason", "法院裁定"])?;
    assert!(!nation.output(&["record", "show", &format!("{key}/lib/2")])?.status.success());
    nation.run(&["node", "head"])?;
    assert_eq!(nation.json(&["rebuild"])?["same"], true);
    // Not in the tables' file, not in its log of changes, not in the index.
    wait_for("the index to be made anew", || files_with(&nation, "删除的第1条").is_empty())?;
    assert!(!files_with(&nation, "删除的第2条").is_empty(), "the search itself works");
    // One that comes later gets the stub; no number is missing, and its history fits the head.
    let late = Node::init("后来的县", "411525")?;
    nation.adopt(&late, "000000", &served.url())?;
    let done = late.json(&["sync"])?;
    assert!(done["refused"].is_null() && done["missing"].is_null(), "{done}");
    assert!(problems(&late)?.is_empty());
    assert_eq!(late.state()?, nation.state()?);
    assert_eq!(late.json(&["rebuild"])?["same"], true);
    // The county that had it keeps it, and nothing is asked again.
    county.run(&["sync"])?;
    assert!(problems(&county)?.is_empty());
    assert_eq!(county.run(&["record", "show", &format!("{key}/lib/2")])?, whole);
    // From there the body comes to whoever holds only a stub, but not back to the node that had to erase it.
    let place = Place { key: key.as_str().into(), stream: Stream::Lib, n: 2 };
    let body: Vec<Item> = items(&open(&county).await).await.into_iter().filter(|item| item.place == place).collect();
    let (above, below) = (open(&nation).await, open(&late).await);
    assert_eq!(receive(&below, body.clone()).await.applied, 1);
    assert_eq!(late.run(&["record", "show", &format!("{key}/lib/2")])?, whole);
    assert_eq!(late.state()?, county.state()?);
    assert_eq!((receive(&above, body.clone()).await.duplicates, receive(&below, body).await.duplicates), (1, 1));
    assert!(!nation.output(&["record", "show", &format!("{key}/lib/2")])?.status.success());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawn_record_about_a_person_loses_its_body_everywhere_in_any_order() -> anyhow::Result<()> {
    let nation = Node::init("国家", "000000")?;
    let above = open(&nation).await;
    let card = |n: i64| Card {
        party: "1".into(),
        kind: PartyKind::Person,
        name: format!("第{n}版示例"),
        name_en: String::new(),
        org: "示例医院".into(),
        values: Default::default(),
        registers: vec!["experts".into()],
        consents: vec![("public_card".into(), 1)],
        confirmed: above.today(),
        expires: above.today(),
        sample: true,
    };
    let person = |n| sign(&above, Stream::Lib, n, "p-1", &Body::Party(Box::new(card(n))));
    let text = |n| sign(&above, Stream::Lib, n, "r-1", &Body::Unknown("poem".into()));
    let gone = Body::Retraction(Retraction { key: above.key.id().clone(), through: 2, reason: "本人要求".into(), by: "中心".into() });
    let retraction = sign(&above, Stream::Alert, 1, "p-1", &gone);
    let all = [item(&person(1)), item(&person(2)), item(&text(3)), item(&person(4)), item(&retraction)];
    let trust = items(&above).await;
    let mut states = Vec::new();
    for order in [[0, 1, 2, 3, 4], [4, 0, 1, 2, 3], [3, 4, 2, 1, 0], [1, 4, 0, 3, 2]] {
        let node = Node::init("别处", "000000")?;
        let app = open(&node).await;
        pin(&app, above.key.id()).await;
        receive(&app, trust.clone()).await;
        for at in order {
            let report = receive(&app, vec![all[at].clone()]).await;
            assert_eq!((report.applied, report.rejected.len(), report.refused.len()), (1, 0, 0));
        }
        let mut held: Vec<(i64, bool)> = items(&app)
            .await
            .iter()
            .filter(|item| item.place.stream == Stream::Lib && item.place.key == *above.key.id())
            .map(|item| (item.place.n, matches!(item.content, frame::Content::Doc(_))))
            .collect();
        held.sort_unstable();
        assert_eq!(held, [(1, false), (2, false), (3, true), (4, true)], "{order:?}");
        // Again from an old stick: the body does not come back.
        receive(&app, all.to_vec()).await;
        assert!(
            items(&app).await.iter().any(|item| item.place.n == 1 && item.place.stream == Stream::Lib && matches!(item.content, frame::Content::Erased { .. }))
        );
        assert_eq!(node.json(&["rebuild"])?["same"], true);
        states.push(state(&app).await);
    }
    assert!(states.windows(2).all(|pair| pair[0] == pair[1]));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn stubs_of_what_must_stay_readable_are_refused() -> anyhow::Result<()> {
    let nation = Node::init("国家", "000000")?;
    nation.publish(1, "存根")?;
    let above = open(&nation).await;
    let other = Node::init("别处", "000000")?;
    let app = open(&other).await;
    pin(&app, above.key.id()).await;
    let stubs: Vec<Item> = items(&above)
        .await
        .into_iter()
        .map(|item| {
            let frame::Content::Doc(doc) = item.content else { panic!("whole") };
            let record = kepu_sync::record::verify(doc, item.signature.clone()).expect("genuine");
            Item::erased(item.place, record.stub())
        })
        .collect();
    let mut forged = stubs.iter().find(|item| item.place.stream == Stream::Lib).expect("a library record").clone();
    forged.signature[5] ^= 1;
    let report = receive(&app, stubs.into_iter().chain([forged]).collect()).await;
    assert_eq!((report.applied, report.rejected.len()), (1, 3), "certificate, policy and the forged one: {:?}", report.rejected);
    assert!(report.rejected.iter().filter(|(_, why)| why.contains("withheld")).count() == 2);
    Ok(())
}
