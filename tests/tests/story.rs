//! The whole loop through the operations: a question nobody has answered, a holding statement, an expert's answer, two
//! reviews, publication, a county that receives it, a correction and a withdrawal that arrive. Pages are tested elsewhere.

use kepu_app::create::{draft, publish, review};
use kepu_app::listen::{case, question};
use kepu_app::{App, AppError, Options, account, seed, sync};
use kepu_domain::access::Actor;
use kepu_domain::create::draft::Matter;
use kepu_domain::create::resource::Source;
use kepu_domain::create::review::{Decision, Said};
use kepu_domain::ids::{OrgId, PartyId};
use kepu_domain::listen::claim::Verdict;
use kepu_domain::org::Region;
use kepu_store::subject::{self, Standing};
use kepu_tests::Node;
use std::collections::HashMap;

/// A reviewer without an interest agrees.
const APPROVED: Said<'static> = Said { decision: Decision::Approve, conflict: "无", comment: "", checks: &[] };

async fn open(node: &Node) -> App {
    App::open(Options { data: node.data().to_owned(), database: None, index: false }).await.expect("node opens")
}

async fn people(app: &App) -> HashMap<String, Actor> {
    let mut actors = HashMap::new();
    for (login, _, password) in seed::accounts(app).await.expect("accounts") {
        let session = account::sign_in(app, &login, &password, None, "127.0.0.1").await.expect("signs in");
        let signed = account::find_session(app, &session.token).await.expect("session").expect("signed in");
        actors.insert(login, signed.actor);
    }
    actors
}

async fn row(app: &App, id: &kepu_domain::ids::SubjectId) -> Option<subject::Row> {
    let mut tx = app.db.read().await.expect("read");
    subject::find(&mut tx, id).await.expect("find")
}

#[tokio::test(flavor = "multi_thread")]
async fn one_rumour_is_answered_end_to_end() -> anyhow::Result<()> {
    let (nation, county) = (Node::init("国家示例", "000000")?, Node::init("县示例", "411525")?);
    let app = open(&nation).await;
    // Texts and people without the sample accounts: each person of the story has exactly one account.
    seed::publish(&app).await?;
    let mut tx = app.db.write().await?;
    for (login, party, roles) in TEAM {
        let operator = Actor::Node { name: "operator".into() };
        let new = account::NewAccount {
            login: login.into(),
            name: login.into(),
            password: "雨后的操场有彩虹真好看".into(),
            party: party.map(PartyId::from),
            must_change: false,
        };
        let id = account::create(&app, &mut tx, &operator, new).await?;
        for role in roles {
            account::grant_in(&app, &mut tx, &operator, &id, &OrgId::from("org-nat"), *role).await?;
        }
    }
    tx.commit().await?;
    let mut who = HashMap::new();
    for (login, ..) in TEAM {
        let session = account::sign_in(&app, login, "雨后的操场有彩虹真好看", None, "127.0.0.1").await?;
        who.insert(login, account::find_session(&app, &session.token).await?.expect("signed in").actor);
    }
    let served = nation.serve()?;
    nation.adopt(&county, "411525", &served.url())?;
    let below = open(&county).await;

    // Asked without login; the telephone number is masked; the same words join the same case.
    let ask = |text: &str| question::Ask {
        text: text.into(),
        region: Region::parse("411525").expect("code"),
        anyway: true,
        channel: kepu_domain::listen::sighting::Channel::Page,
        address: "10.0.0.1".into(),
    };
    let text = "听说把大蒜塞进耳朵能治感冒，是真的吗，联系13800138000";
    let question::Asked::Opened { question: ticket } = question::ask(&app, ask(text)).await? else { panic!("opened") };
    question::ask(&app, ask(text)).await?;
    let view = question::view(&app, &ticket).await?;
    assert!(view.question.text.contains("〔号码〕"));
    let id = view.case.expect("a case works on it").id;
    assert_eq!(case::view(&app, &Actor::Visitor, &id).await?.questions, 2);

    // The duty officer takes it and says at once what is known.
    let duty = &who["t-duty"];
    assert!(matches!(case::take(&app, &who["t-doctor"], &id).await, Err(AppError::Denied(_))));
    case::take(&app, duty, &id).await?;
    case::classify(&app, duty, &id, vec!["health".into()], 2).await?;
    let experts = case::experts(&app, &case::view(&app, duty, &id).await?.case).await?;
    assert!(experts.iter().all(|c| c.fields_covered == 1) && !experts.is_empty());
    let answer = case::ask_expert(&app, duty, &id, &"p-zhou".into()).await?;
    let form = case::HoldingForm { known: "大蒜没有治疗感冒的证据。".into(), not_known: "这个说法从哪里来。".into(), next_hours: 20 };
    let subject = case::hold(&app, duty, &id, form).await?;
    assert_eq!(row(&app, &subject).await.expect("public").verdict, "checking");
    sync::run(&below, 0).await?;
    assert_eq!(row(&below, &subject).await.expect("arrived").verdict, "checking");

    // The expert writes, two others check, the editor signs.
    let doctor = &who["t-doctor"];
    let Matter::Claim(mut claim) = answer.matter.clone() else { panic!("a claim") };
    claim.verdict = Verdict::False;
    claim.plain = "这个说法不准确，塞大蒜可能伤到耳道。".into();
    claim.why = vec!["感冒由病毒引起，耳道里的大蒜接触不到病毒。".into()];
    claim.instead = "多休息，多喝水；高热不退请看医生。".into();
    claim.evidence = vec![Source { title: "感冒诊疗教材".into(), publisher: "示例".into(), kind: "textbook".into(), date: "2024".into(), url: None }];
    let saved = draft::save(&app, doctor, &answer.id, answer.version, Matter::Claim(claim.clone()), "").await?;
    assert!(matches!(draft::save(&app, doctor, &answer.id, answer.version, Matter::Claim(claim), "").await, Err(AppError::Stale { .. })));
    draft::submit(&app, doctor, &answer.id).await?;
    let editor = &who["t-editor"];
    assert!(matches!(review::assign(&app, editor, &answer.id, &"p-zhou".into()).await, Err(AppError::Review(_))), "nobody reviews their own work");
    assert!(matches!(publish::publish(&app, editor, &answer.id).await, Err(AppError::Draft(_))), "no review yet");
    for (login, party) in [("t-review1", "p-lin"), ("t-review2", "p-meng")] {
        let task = review::assign(&app, editor, &answer.id, &party.into()).await?;
        assert!(matches!(review::decide(&app, doctor, &task.id, APPROVED).await, Err(AppError::Denied(_))));
        review::decide(&app, &who[login], &task.id, APPROVED).await?;
    }
    assert_eq!(publish::publish(&app, editor, &answer.id).await?, subject);
    assert!(saved.version > answer.version);
    let ticket_view = question::view(&app, &ticket).await?;
    assert_eq!(ticket_view.claim.expect("answered").verdict, "false");
    sync::run(&below, 0).await?;
    assert_eq!(row(&below, &subject).await.expect("arrived").verdict, "false");

    // A mistake is corrected; the correction arrives.
    let fix = publish::correct(&app, editor, &subject).await?;
    let Matter::Claim(mut claim) = fix.matter.clone() else { panic!("a claim") };
    claim.instead = "多休息；高热三天不退请看医生。".into();
    draft::save(&app, editor, &fix.id, fix.version, Matter::Claim(claim), "原文没有写明高热持续的天数，现已补上。").await?;
    draft::submit(&app, editor, &fix.id).await?;
    for (login, party) in [("t-review1", "p-lin"), ("t-review2", "p-meng")] {
        let task = review::assign(&app, editor, &fix.id, &party.into()).await?;
        review::decide(&app, &who[login], &task.id, APPROVED).await?;
    }
    publish::publish(&app, editor, &fix.id).await?;
    sync::run(&below, 0).await?;
    let corrected = row(&below, &subject).await.expect("arrived");
    assert!(corrected.corrected > 0 && corrected.standing == Standing::Public);

    // Withdrawn here, gone there; both make the same state again from their records.
    kepu_app::create::take_back::withdraw(&app, editor, &subject, "依据已经更新，重新核查。").await?;
    sync::run(&below, 0).await?;
    assert_eq!(row(&below, &subject).await.expect("kept as a notice").standing, Standing::Withdrawn);
    assert_eq!(nation.state()?, county.state()?);
    for node in [&nation, &county] {
        assert_eq!(node.json(&["rebuild"])?["same"], true);
    }
    assert!(nation.run(&["audit", "verify"])?.contains("\"whole\":true"));
    drop(served);
    Ok(())
}

use kepu_domain::access::Role;
const TEAM: [(&str, Option<&str>, &[Role]); 5] = [
    ("t-editor", Some("p-wei"), &[Role::Editor]),
    ("t-duty", None, &[Role::DutyOfficer]),
    ("t-doctor", Some("p-zhou"), &[Role::Contributor]),
    ("t-review1", Some("p-lin"), &[Role::Reviewer]),
    ("t-review2", Some("p-meng"), &[Role::Reviewer]),
];

#[tokio::test]
async fn sign_in_locks_after_failures_and_the_lock_survives_a_restart() -> anyhow::Result<()> {
    let node = Node::init("国家示例", "000000")?;
    let app = open(&node).await;
    seed::publish(&app).await?;
    let accounts = people(&app).await;
    assert_eq!(accounts.len(), 8);
    for _ in 0..5 {
        assert!(account::sign_in(&app, "bianji", "不对的密码不对的密码", None, "10.0.0.9").await.is_err());
    }
    drop(app);
    let app = open(&node).await;
    assert!(matches!(account::sign_in(&app, "bianji", "不对的密码不对的密码", None, "10.0.0.8").await, Err(AppError::Locked(_))));
    Ok(())
}
