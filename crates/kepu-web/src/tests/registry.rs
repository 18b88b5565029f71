//! The registry through its pages: entries with consent and without, two stewards at once, merging, one's own entry, registers
//! that are files, cards that hide themselves. Rules are tested in `kepu-domain`; imports of registers in `import`.

use super::{Node, Person, open, person, place, seeded, submit, text};
use crate::router;
use axum::Router;
use axum::http::StatusCode;
use kepu_domain::access::Role;

/// A name that office programs lose: a rare character, one with a variation selector, one beyond the first plane.
const NAME: &str = "㐀\u{20BB7}\u{E0100}\u{30000}示例";

struct House {
    node: Node,
    site: Router,
    steward: Person,
}

async fn house() -> House {
    let (node, site, _) = seeded().await;
    let steward = person(&node.web, "guanli1", None, &[("org-nat", Role::Steward)]).await;
    House { node, site, steward }
}

const DOCTOR: [(&str, &str); 9] = [
    ("_kind", "person"),
    ("_register", "experts"),
    ("org", "org-nat"),
    ("name", NAME),
    ("title", "示例医师"),
    ("fields", "health"),
    ("_rows.qualifications", "1"),
    ("qualifications.1.what", "执业医师（示例）"),
    ("qualifications.1.issuer", "示例登记处"),
];

impl House {
    async fn see(&self, who: &Person, path: &str) -> String {
        text(open(&self.site, who, path).await).await
    }
    async fn add(&self, fields: &[(&str, &str)]) -> String {
        let answer = submit(&self.site, &self.steward, "/registry/new", fields).await;
        let status = answer.status();
        assert_eq!(status, StatusCode::SEE_OTHER, "{}", text(answer).await);
        place(&answer).split('?').next().unwrap_or_default().to_owned()
    }
    async fn status(&self, who: &Person, path: &str, fields: &[(&str, &str)]) -> StatusCode {
        submit(&self.site, who, path, fields).await.status()
    }
    /// The person of an entry, signed in.
    async fn owner(&self, entry: &str) -> Person {
        let party = entry.trim_start_matches("/registry/");
        person(&self.node.web, "benren1", Some(party), &[("org-nat", Role::Contributor)]).await
    }
}

fn visitor() -> Person {
    Person { cookie: String::new(), csrf: String::new() }
}

#[tokio::test]
async fn an_expert_is_shown_only_with_consent_and_confirmed_and_a_rare_name_survives_everywhere() {
    let house = house().await;
    let entry = house.add(&DOCTOR).await;
    assert!(house.see(&house.steward, &entry).await.contains(NAME));
    let register = "/register/experts?q=%E3%90%80";
    assert!(!house.see(&visitor(), register).await.contains(NAME), "nobody agreed yet");
    let owner = house.owner(&entry).await;
    assert_eq!(house.status(&owner, &format!("{entry}/consent"), &[("purpose", "public_card"), ("given", "1")]).await, StatusCode::SEE_OTHER);
    assert!(!house.see(&visitor(), register).await.contains(NAME), "nobody confirmed it yet");
    let answer = submit(&house.site, &owner, &format!("{entry}/confirm"), &[]).await;
    assert_eq!(place(&answer), "/account/registry?done=confirmed");
    let list = house.see(&visitor(), register).await;
    assert!(list.contains(NAME), "{list}");
    // Found without the selector too, in the API and in the file, as written.
    assert!(house.see(&visitor(), "/api/registers/experts?q=%F0%A0%AE%B7").await.contains(NAME));
    assert!(house.see(&visitor(), "/register/experts?format=csv").await.contains(NAME));
    assert!(house.see(&house.steward, "/registry/export.csv?register=experts").await.contains(NAME));
    let card = list.split("href=\"/party/").nth(1).and_then(|rest| rest.split('"').next()).map(|path| format!("/party/{path}")).expect("card");
    let page = house.see(&visitor(), &card).await;
    assert!(page.contains(NAME) && page.contains("application/ld+json") && page.contains("未核验"), "{page}");
    assert_eq!(house.status(&owner, &format!("{entry}/consent"), &[("purpose", "public_card"), ("given", "0")]).await, StatusCode::SEE_OTHER);
    let gone = open(&house.site, &visitor(), &card).await;
    assert_eq!(gone.status(), StatusCode::GONE);
    assert!(!text(gone).await.contains(NAME));
    for path in [register, "/api/registers/experts?q=%E3%90%80", "/", "/feed.atom", "/sitemap.xml"] {
        assert!(!house.see(&visitor(), path).await.contains(NAME), "{path}");
    }
}

#[tokio::test]
async fn mistakes_stand_at_their_fields_and_nothing_typed_is_lost() {
    let house = house().await;
    let answer = submit(
        &house.site,
        &house.steward,
        "/registry/new",
        &[
            ("_kind", "venue"),
            ("_register", "halls"),
            ("org", "org-nat"),
            ("name", "示例新馆"),
            ("visits", "许多"),
            ("region.county", "没有这个县"),
            ("_rows.exhibits", "1"),
            ("exhibits.1.state", "broken"),
        ],
    )
    .await;
    assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let page = text(answer).await;
    for part in ["示例新馆", "许多", "没有这个县", "href=\"#visits\"", "href=\"#exhibits.1.name\"", "href=\"#region\"", "id=\"venue_type-err\""] {
        assert!(page.contains(part), "{part} is missing in {page}");
    }
    assert!(page.contains("value=\"broken\" selected"));
}

#[tokio::test]
async fn of_two_stewards_neither_loses_a_word() {
    let house = house().await;
    let entry = house.add(&DOCTOR).await;
    let edit = format!("{entry}/edit");
    let with = |title: &'static str, version: &'static str| {
        let kept = DOCTOR.iter().filter(|(name, _)| *name != "title").copied();
        kept.chain([("title", title), ("version", version)]).collect::<Vec<_>>()
    };
    assert_eq!(house.status(&house.steward, &edit, &with("主任医师", "1")).await, StatusCode::SEE_OTHER);
    let answer = submit(&house.site, &house.steward, &edit, &with("副主任医师", "1")).await;
    assert_eq!(answer.status(), StatusCode::CONFLICT);
    let page = text(answer).await;
    assert!(page.contains("现在存的：主任医师") && page.contains("您写的：副主任医师"), "{page}");
    assert!(page.contains("name=\"version\" value=\"2\""), "the next sending counts");
    assert_eq!(house.status(&house.steward, &edit, &with("副主任医师", "2")).await, StatusCode::SEE_OTHER);
    let page = house.see(&house.steward, &entry).await;
    assert!(page.contains("副主任医师") && page.contains("职务或职称"), "the change is in the history: {page}");
}

#[tokio::test]
async fn strangers_learn_nothing_and_colleagues_no_private_numbers() {
    let house = house().await;
    let fields: Vec<(&str, &str)> = DOCTOR.iter().copied().chain([("mobile", "13812345678"), ("qualifications.1.number", "110-222")]).collect();
    let entry = house.add(&fields).await;
    let colleague = person(&house.node.web, "tongshi1", None, &[("000000", Role::Editor)]).await;
    let page = house.see(&colleague, &entry).await;
    assert!(page.contains("示例医师") && !page.contains("13812345678") && !page.contains("110-222"), "{page}");
    assert_eq!(open(&house.site, &colleague, &format!("{entry}/edit")).await.status(), StatusCode::FORBIDDEN);
    assert_eq!(house.status(&colleague, &format!("{entry}/confirm"), &[]).await, StatusCode::FORBIDDEN);
    // Who works on cases reaches the number that was given for emergencies, and only with that consent.
    let duty = person(&house.node.web, "zhiban1", None, &[("000000", Role::DutyOfficer)]).await;
    assert!(!house.see(&duty, &entry).await.contains("13812345678"));
    assert_eq!(house.status(&house.steward, &format!("{entry}/consent"), &[("purpose", "emergency"), ("given", "1")]).await, StatusCode::SEE_OTHER);
    assert!(house.see(&duty, &entry).await.contains("13812345678"));
    let stranger = person(&house.node.web, "jiqi1", None, &[("000000", Role::SystemAdmin)]).await;
    assert_eq!(open(&house.site, &stranger, &entry).await.status(), StatusCode::NOT_FOUND);
    assert_eq!(open(&house.site, &visitor(), &entry).await.status(), StatusCode::UNAUTHORIZED);
    let other = person(&house.node.web, "guanli2", None, &[("420000", Role::Steward)]).await;
    assert_eq!(house.status(&other, &format!("{entry}/confirm"), &[]).await, StatusCode::NOT_FOUND);
    assert!(!house.see(&other, "/registry").await.contains(NAME));
    assert!(house.see(&house.steward, "/registry?state=unverified").await.contains(NAME));
    assert!(!house.see(&house.steward, "/registry?state=lapsing").await.contains(NAME));
}

#[tokio::test]
async fn nobody_verifies_their_own_qualification_or_enters_themself() {
    let house = house().await;
    let entry = house.add(&DOCTOR).await;
    let owner = house.owner(&entry).await;
    assert_eq!(house.status(&owner, &format!("{entry}/verify"), &[("at", "0")]).await, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(house.status(&owner, &format!("{entry}/register"), &[("register", "volunteers"), ("inside", "1")]).await, StatusCode::FORBIDDEN);
    assert_eq!(house.status(&house.steward, &format!("{entry}/register"), &[("register", "halls"), ("inside", "1")]).await, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(house.status(&house.steward, &format!("{entry}/verify"), &[("at", "0")]).await, StatusCode::SEE_OTHER);
    assert!(house.see(&owner, "/account/registry").await.contains("已核验"));
    // Seen once is seen for every register: entering another one asks for nothing again.
    assert_eq!(house.status(&house.steward, &format!("{entry}/register"), &[("register", "volunteers"), ("inside", "1")]).await, StatusCode::SEE_OTHER);
    assert!(!house.see(&house.steward, "/registry?state=unverified&register=volunteers").await.contains(NAME));
    assert_eq!(house.status(&owner, &format!("{entry}/register"), &[("register", "volunteers"), ("inside", "0")]).await, StatusCode::SEE_OTHER);
    let data = house.see(&owner, &format!("{entry}/data.json")).await;
    assert!(data.contains(NAME) && data.contains("earlier"), "{data}");
    assert_eq!(house.status(&owner, &format!("{entry}/delete"), &[]).await, StatusCode::SEE_OTHER);
    assert_eq!(open(&house.site, &house.steward, &entry).await.status(), StatusCode::NOT_FOUND);
    assert!(house.see(&owner, "/account/registry").await.contains("您还没有登记信息"));
}

#[tokio::test]
async fn a_name_that_stands_twice_is_merged_and_a_merge_is_undone() {
    let house = house().await;
    let first = house.add(&DOCTOR).await;
    let second: Vec<(&str, &str)> = DOCTOR.iter().copied().chain([("about", "第二次登记时写的简介")]).collect();
    let second = house.add(&second).await;
    let doubles = house.see(&house.steward, "/registry/doubles").await;
    assert!(doubles.contains(&format!("{second}/merge")) || doubles.contains(&format!("{first}/merge")), "{doubles}");
    assert!(house.see(&house.steward, &second).await.contains("可能是同一条"));
    let into = first.trim_start_matches("/registry/");
    assert_eq!(house.status(&house.steward, &format!("{second}/merge"), &[("into", into)]).await, StatusCode::SEE_OTHER);
    assert!(house.see(&house.steward, &first).await.contains("第二次登记时写的简介"));
    assert!(house.see(&house.steward, &second).await.contains(&format!("href=\"{first}\"")));
    assert!(!house.see(&house.steward, "/registry?q=%E3%90%80").await.contains(&second));
    assert_eq!(
        house.status(&house.steward, &format!("{first}/merge"), &[("into", second.trim_start_matches("/registry/"))]).await,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    assert_eq!(house.status(&house.steward, &format!("{second}/unmerge"), &[]).await, StatusCode::SEE_OTHER);
    assert!(house.see(&house.steward, "/registry?q=%E3%90%80").await.contains(&second));
}

const TRUCKS: &str = r#"{"id": "planetarium-trucks", "zh": "流动天文车", "en": "Planetarium trucks", "lead_zh": "开到学校的球幕。", "kinds": ["facility"],
 "entered": true, "map": true,
 "fields": [{"id": "dome_m", "zh": "球幕直径", "en": "Dome", "type": "decimal", "unit": "m", "public": "card"},
            {"id": "drive", "zh": "驱动", "en": "Drive", "type": "choice", "public": "card", "options": [{"id": "electric", "zh": "电动", "en": "Electric"}, {"id": "diesel", "zh": "柴油", "en": "Diesel"}]}],
 "columns": ["name", "dome_m", "drive"], "filters": ["region", "drive"]}"#;

/// The folder of definitions is looked at once a second at most.
async fn looked_at_again() {
    tokio::time::sleep(std::time::Duration::from_millis(1_050)).await;
}

#[tokio::test]
async fn a_new_register_is_a_file_and_a_mistake_in_it_is_named_while_the_old_one_stays() {
    let house = house().await;
    assert_eq!(open(&house.site, &visitor(), "/register/planetarium-trucks").await.status(), StatusCode::NOT_FOUND);
    let folder = house.node.web.app.data.join("definitions/registers");
    std::fs::create_dir_all(&folder).expect("folder");
    std::fs::write(folder.join("planetarium-trucks.json"), TRUCKS).expect("file");
    looked_at_again().await;
    assert!(house.see(&visitor(), "/registers").await.contains("流动天文车"));
    let form = house.see(&house.steward, "/registry/new?register=planetarium-trucks").await;
    assert!(form.contains("球幕直径") && form.contains("name=\"drive\""), "{form}");
    let truck = [
        ("_kind", "facility"),
        ("_register", "planetarium-trucks"),
        ("org", "org-nat"),
        ("name", "示例一号车"),
        ("facility_type", "vehicle"),
        ("dome_m", "6.5"),
        ("drive", "electric"),
    ];
    house.add(&truck).await;
    let list = house.see(&visitor(), "/register/planetarium-trucks?drive=electric").await;
    assert!(list.contains("示例一号车") && list.contains("6.5 m") && list.contains("电动"), "{list}");
    assert!(!house.see(&visitor(), "/register/planetarium-trucks?drive=diesel").await.contains("示例一号车"));
    let api = house.see(&visitor(), "/api/registers/planetarium-trucks").await;
    assert!(api.contains("\"dome_m\":\"6.5\""), "{api}");
    assert!(house.see(&house.steward, "/registry/export.csv?register=planetarium-trucks").await.contains("示例一号车"));
    let operator = person(&house.node.web, "xitong1", None, &[("000000", Role::SystemAdmin)]).await;
    assert!(house.see(&operator, "/definitions").await.contains("所有定义都已生效"));
    std::fs::write(folder.join("planetarium-trucks.json"), TRUCKS.replace("\"columns\": [\"name\",", "\"columns\": [\"name\",\n \"wheels\",")).expect("file");
    looked_at_again().await;
    let page = house.see(&operator, "/definitions").await;
    assert!(page.contains("registers/planetarium-trucks.json") && page.contains("wheels") && page.contains('7'), "{page}");
    assert!(house.see(&visitor(), "/register/planetarium-trucks").await.contains("示例一号车"), "the old one stays in force");
}

#[tokio::test]
async fn a_card_that_nobody_confirms_hides_itself_and_its_owner_is_reminded() {
    let house = house().await;
    let owner = person(&house.node.web, "yisheng1", Some("p-lin"), &[("org-nat", Role::Reviewer)]).await;
    assert!(house.see(&visitor(), "/register/experts").await.contains("林示例"));
    assert!(!house.see(&owner, "/desk").await.contains("登记信息该确认了"));
    let months = |n: i64| n * 30 * 24 * 60 + 24 * 60 * 5;
    // A session ends long before, so the owner signs in again at each moment.
    for (later, shown, reminded) in [(months(11), true, true), (months(13), false, true)] {
        let web = house.node.restarted(later).await;
        let site = router(web.clone());
        let list = text(open(&site, &visitor(), "/register/experts").await).await;
        assert_eq!(list.contains("林示例"), shown, "{later}");
        let card = format!("/party/{}", kepu_app::create::party::subject_of(&web.app, &"p-lin".into()).0.trim_start_matches("kepu:"));
        assert_eq!(open(&site, &visitor(), &card).await.status() == StatusCode::OK, shown);
        let session = kepu_app::account::sign_in(&web.app, "yisheng1", super::PASSWORD, None, "").await.expect("session");
        let again = Person { cookie: format!("kepu_session={}", session.token), csrf: session.csrf };
        assert_eq!(text(open(&site, &again, "/desk").await).await.contains("登记信息该确认了"), reminded, "{later}");
        if !shown {
            let path = "/registry/p-lin/confirm";
            assert_eq!(submit(&site, &again, path, &[]).await.status(), StatusCode::SEE_OTHER);
            assert!(text(open(&site, &visitor(), "/register/experts").await).await.contains("林示例"), "one tap brings it back");
        }
    }
}

#[tokio::test]
async fn nobody_is_asked_who_takes_no_tasks_or_has_as_many_as_they_take() {
    use kepu_app::create::party;
    use kepu_app::listen::question;
    let house = house().await;
    let app = &house.node.web.app;
    let ask = question::Ask {
        text: "听说晚上吃姜对身体不好".into(),
        region: kepu_domain::org::Region::NATION,
        anyway: true,
        channel: kepu_domain::listen::sighting::Channel::Page,
        address: "a".into(),
    };
    let question::Asked::Opened { question } = question::ask(app, ask).await.expect("asked") else { panic!("no case was opened") };
    let case = question::view(app, &question).await.expect("view").case.expect("case").id;
    let duty = person(&house.node.web, "zhiban2", None, &[("000000", Role::DutyOfficer)]).await;
    let step = |word: &str| format!("/case/{}/{word}", case.0);
    assert_eq!(house.status(&duty, &step("take"), &[]).await, StatusCode::SEE_OTHER);
    assert_eq!(house.status(&duty, &step("classify"), &[("fields", "health"), ("level", "2")]).await, StatusCode::SEE_OTHER);
    let operator = kepu_domain::access::Actor::Node { name: "operator".into() };
    let id = "p-zhou".into();
    for (values, words) in [(("available", serde_json::json!(false)), "目前不接任务"), (("monthly_ceiling", serde_json::json!(0)), "已到本人定的上限")]
    {
        let version = party::view(app, &operator, &id).await.expect("view").version;
        let both = vec![("available".to_owned(), serde_json::json!(true)), (values.0.to_owned(), values.1)];
        party::save(app, &operator, &id, version, both).await.expect("saved");
        let answer = submit(&house.site, &duty, &step("expert"), &[("party", "p-zhou")]).await;
        assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);
        let page = text(answer).await;
        assert!(page.contains(words), "{words}: {page}");
    }
    assert_eq!(house.status(&duty, &step("expert"), &[("party", "p-lin")]).await, StatusCode::SEE_OTHER);
}
