//! What is under check, and words of an institution above: gone, back, and over a text on every node within one exchange.

use super::{open, operator, pair};
use kepu_app::App;
use kepu_app::create::take_back;
use kepu_domain::ids::SubjectId;
use kepu_store::subject::{self, Filter, Order, Row, Standing};

async fn rows(app: &App) -> Vec<Row> {
    let mut tx = app.db.read().await.expect("read");
    subject::list(&mut tx, &Filter { kind: Some("resource".into()), ..Filter::default() }, Order::Title, None, 50).await.expect("rows")
}

async fn row(app: &App, id: &SubjectId) -> Row {
    rows(app).await.into_iter().find(|row| row.id == *id).expect("known")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_is_everywhere_within_one_exchange_and_only_whoever_held_lets_go() -> anyhow::Result<()> {
    let (nation, county, served) = pair()?;
    nation.publish(3, "国家")?;
    county.publish(2, "县里")?;
    county.run(&["sync"])?;
    let (above, below) = (open(&nation).await, open(&county).await);
    let next = above.today().checked_add(jiff::Span::new().days(2))?;
    let of = |list: Vec<Row>, word: &'static str| list.into_iter().find(move |row| row.title.starts_with(word)).expect("published");
    let (national, local) = (of(rows(&below).await, "国家").id, of(rows(&above).await, "县里").id);
    // The nation holds its own text and one of the county's; one exchange later both are gone below.
    for id in [&national, &local] {
        take_back::hold(&above, &operator(), id, "有人指出用量有误，正在核查", Some(next)).await?;
    }
    county.run(&["sync"])?;
    for id in [&national, &local] {
        let held = row(&below, id).await;
        assert_eq!(
            (held.standing, held.held.as_deref(), held.reason.as_str()),
            (Standing::Withdrawn, Some(next.to_string().as_str()), "有人指出用量有误，正在核查")
        );
    }
    let here = county.serve()?;
    for app in [&above, &below] {
        let mut tx = app.db.read().await?;
        let public = Filter { standing: Some(Standing::Public), ..Filter::default() };
        let shown = subject::list(&mut tx, &public, Order::Newest, None, 50).await?;
        assert!(shown.iter().all(|row| row.id != national && row.id != local));
    }
    let (urls, seen) = ([served.url(), here.url()], local.clone());
    let looked = move || {
        let http = kepu_tests::http::Http::new()?;
        for url in urls {
            let (owner, name) = seen.parts().expect("parts");
            assert_eq!(http.get(&format!("{url}/r/{owner}/{name}"))?.status, 410, "{url}");
            assert!(!http.get(&format!("{url}/feed.atom"))?.known().contains(&format!("<id>{seen}</id>")), "{url}");
        }
        anyhow::Ok(())
    };
    tokio::task::spawn_blocking(looked).await??;
    // The county cannot let go what the nation holds, nor hold what is the nation's.
    assert!(take_back::release(&below, &operator(), &local, "我们觉得没有问题").await.is_err());
    assert!(take_back::hold(&below, &operator(), &national, "我们觉得有问题", Some(next)).await.is_err());
    take_back::release(&above, &operator(), &local, "两位专家复核，用量无误").await?;
    county.run(&["sync"])?;
    assert_eq!(row(&below, &local).await.standing, Standing::Public);
    assert_eq!(county.json(&["rebuild"])?["same"], true);
    assert_eq!(nation.json(&["rebuild"])?["same"], true);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_word_from_above_stands_over_a_text_until_its_owner_has_corrected_it() -> anyhow::Result<()> {
    let (nation, county, _served) = pair()?;
    county.publish(1, "县里")?;
    county.run(&["sync"])?;
    let (above, below) = (open(&nation).await, open(&county).await);
    let id = rows(&above).await.remove(0).id;
    take_back::notice(&above, &operator(), &id, "温度应为一百度，不是八十度。").await?;
    county.run(&["sync"])?;
    for app in [&above, &below] {
        let row = row(app, &id).await;
        assert_eq!((row.standing, row.notice.as_str()), (Standing::Public, "温度应为一百度，不是八十度。"));
    }
    // The county says nothing over what is the nation's.
    nation.publish(1, "国家")?;
    county.run(&["sync"])?;
    let national = rows(&below).await.into_iter().find(|row| row.title.starts_with("国家")).expect("came").id;
    assert!(take_back::notice(&below, &operator(), &national, "我们觉得不对").await.is_err());
    Ok(())
}
