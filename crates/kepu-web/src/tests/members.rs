//! Members and organisations, through the router: who may what, first passwords, the last steward, files for spreadsheets.

use super::{Node, PASSWORD, Person, body, node, open, person, place, request, send, submit, text};
use crate::{router, urls};
use axum::Router;
use axum::http::{Method, StatusCode};
use kepu_app::account::sign_in;
use kepu_app::{AppError, member};
use kepu_domain::access::{Actor, Role};
use kepu_domain::create::party::Party;
use kepu_domain::ids::{AccountId, OrgId};
use kepu_store::create::party::Entry;

struct House {
    node: Node,
    site: Router,
    /// Steward of 河南省.
    steward: Person,
    /// Security administrator.
    guard: Person,
}

async fn house() -> House {
    let node = node().await;
    let steward = person(&node.web, "steward", None, &[("410000", Role::Steward)]).await;
    let guard = person(&node.web, "guard", None, &[("000000", Role::SecurityAdmin)]).await;
    House { site: router(node.web.clone()), node, steward, guard }
}

impl House {
    async fn path(&self, login: &str) -> String {
        urls::member(&self.node.id(login).await)
    }
    async fn roles(&self, login: &str) -> Vec<Role> {
        let id = self.node.id(login).await;
        let mut tx = self.node.web.app.db.read().await.expect("tx");
        kepu_store::member::list_by_account(&mut tx, &id).await.expect("roles").into_iter().map(|m| m.role).collect()
    }
}

fn secret(page: &str) -> String {
    page.split("class=\"secret\">").nth(1).and_then(|rest| rest.split('<').next()).unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_new_member_gets_a_first_password_that_is_shown_once_and_must_be_changed() {
    let h = house().await;
    let form = [("_once", "abcdefgh12345678"), ("login", "xinren"), ("name", "新人"), ("role", "contributor"), ("role", "duty_officer")];
    let answer = submit(&h.site, &h.steward, "/members/orgs/411525/add", &form).await;
    let there = place(&answer);
    assert!(there.starts_with("/members/people/") && there.contains("first="), "{there}");
    assert_eq!(place(&submit(&h.site, &h.steward, "/members/orgs/411525/add", &form).await), there, "sent twice: one member");
    let page = text(open(&h.site, &h.steward, &there).await).await;
    let password = secret(&page);
    assert_eq!(password.len(), 19, "{page}");
    let plain = there.split('?').next().expect("path");
    assert_eq!(secret(&text(open(&h.site, &h.steward, plain).await).await), "");
    let late = router(h.node.restarted(11).await);
    assert_eq!(secret(&text(open(&late, &h.steward, &there).await).await), "", "ten minutes only");
    let other = h.path("guard").await;
    let seal = there.split("first=").nth(1).expect("seal");
    assert_eq!(secret(&text(open(&h.site, &h.guard, &format!("{other}?first={seal}")).await).await), "", "bound to its account");
    let first = send(&h.site, request(Method::POST, "/login", "", &body(&[("login", "xinren"), ("password", &password)]))).await;
    assert_eq!(place(&first), "/account");
    assert_eq!(h.roles("xinren").await, [Role::Contributor, Role::DutyOfficer]);
    let taken = submit(&h.site, &h.steward, "/members/orgs/411525/add", &[("login", "XinRen"), ("name", "又一个"), ("role", "editor")]).await;
    assert_eq!(taken.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert!(text(taken).await.contains("已有人用"));
    let none = submit(&h.site, &h.steward, "/members/orgs/411525/add", &[("login", "norole"), ("name", "无")]).await;
    assert!(text(none).await.contains("请至少选一个角色"));
    let known = [("known", "1"), ("login", "xinren"), ("role", "editor")];
    assert!(place(&submit(&h.site, &h.steward, "/members/orgs/411525/add", &known).await).contains("done=granted"));
    let unknown = submit(&h.site, &h.steward, "/members/orgs/411525/add", &[("known", "1"), ("login", "nobody"), ("role", "editor")]).await;
    assert!(text(unknown).await.contains("没有这个用户名的账号"));
}

#[tokio::test]
async fn strangers_are_refused_and_learn_nothing() {
    let h = house().await;
    person(&h.node.web, "elsewhere", None, &[("420000", Role::Contributor)]).await;
    let writer = person(&h.node.web, "writer", None, &[("410000", Role::Contributor)]).await;
    let there = h.path("elsewhere").await;
    for path in ["/members", "/members/people", "/members/orgs/410000", "/audit", "/api/members", "/api/audit", "/api/members/people"] {
        assert_eq!(send(&h.site, request(Method::GET, path, "", "")).await.status(), StatusCode::UNAUTHORIZED, "{path}");
        assert_eq!(open(&h.site, &writer, path).await.status(), StatusCode::FORBIDDEN, "{path}");
    }
    for path in ["/members/orgs/420000", "/members/orgs/000000", "/members/people", "/api/members/orgs/420000"] {
        assert_eq!(open(&h.site, &h.steward, path).await.status(), StatusCode::FORBIDDEN, "{path}");
    }
    assert_eq!(open(&h.site, &h.steward, &there).await.status(), StatusCode::NOT_FOUND, "not even that it exists");
    assert_eq!(open(&h.site, &h.steward, "/members/orgs/nowhere").await.status(), StatusCode::NOT_FOUND);
    for deed in ["disable", "enable", "password", "unlock", "describe"] {
        let answer = submit(&h.site, &h.steward, &format!("{there}/{deed}"), &[("name", "x")]).await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{deed}");
    }
    assert_eq!(submit(&h.site, &h.steward, &format!("{there}/second-factor"), &[]).await.status(), StatusCode::FORBIDDEN);
    let grant = [("org", "420000"), ("role", "editor")];
    assert_eq!(submit(&h.site, &h.steward, &format!("{there}/grant"), &grant).await.status(), StatusCode::FORBIDDEN);
    assert_eq!(
        submit(&h.site, &h.steward, "/members/orgs/420000/add", &[("login", "ab"), ("name", "x"), ("role", "editor")]).await.status(),
        StatusCode::FORBIDDEN
    );
    let admin = [("login", "ab"), ("name", "x"), ("role", "system_admin")];
    assert_eq!(submit(&h.site, &h.steward, "/members/orgs/410000/add", &admin).await.status(), StatusCode::FORBIDDEN);
    assert_eq!(
        submit(&h.site, &h.guard, "/members/orgs/410000/add", &[("login", "ab"), ("name", "x"), ("role", "editor")]).await.status(),
        StatusCode::FORBIDDEN
    );
    assert_eq!(h.roles("elsewhere").await, [Role::Contributor]);
}

#[tokio::test]
async fn the_last_steward_and_the_last_security_administrator_stay() {
    let h = house().await;
    let (app, operator) = (&h.node.web.app, Actor::Node { name: "operator".into() });
    person(&h.node.web, "county", None, &[("411525", Role::Steward)]).await;
    let (steward, county, guard) = (h.node.id("steward").await, h.node.id("county").await, h.node.id("guard").await);
    let revoke = async |id: &AccountId, org: &str, role| member::revoke(app, &operator, id, &OrgId::from(org), role).await;
    let key = |error: AppError| match error {
        AppError::Invalid(errors) => errors[0].key.clone(),
        other => other.to_string(),
    };
    assert_eq!(key(revoke(&steward, "410000", Role::Steward).await.expect_err("nobody above")), "last_steward");
    revoke(&county, "411525", Role::Steward).await.expect("the province cares on");
    assert_eq!(key(revoke(&guard, "000000", Role::SecurityAdmin).await.expect_err("the last")), "last_security_admin");
    assert_eq!(key(member::disable(app, &operator, &guard).await.expect_err("the last")), "last_security_admin");
    assert_eq!(key(member::disable(app, &operator, &steward).await.expect_err("the last")), "last_steward");
    let refused = submit(&h.site, &h.steward, &format!("{}/revoke", h.path("steward").await), &[("org", "410000"), ("role", "steward")]).await;
    assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert!(text(refused).await.contains("最后一位机构管理员"));
    person(&h.node.web, "second", None, &[("410000", Role::Steward)]).await;
    // A disabled steward cares for nothing.
    member::disable(app, &operator, &h.node.id("second").await).await.expect("the first is left");
    assert_eq!(key(revoke(&steward, "410000", Role::Steward).await.expect_err("the other is disabled")), "last_steward");
    member::enable(app, &operator, &h.node.id("second").await).await.expect("enabled");
    revoke(&steward, "410000", Role::Steward).await.expect("another is there");
    assert!(matches!(revoke(&steward, "410000", Role::Steward).await, Err(AppError::NotFound { .. })), "not held any more");
}

#[tokio::test]
async fn administrators_are_kept_apart_and_the_first_is_named_by_the_steward_of_the_node() {
    let node = node().await;
    let steward = person(&node.web, "steward", None, &[("000000", Role::Steward)]).await;
    let elsewhere = person(&node.web, "elsewhere", None, &[("410000", Role::Steward)]).await;
    let site = router(node.web.clone());
    let first = [("login", "guard"), ("name", "安全员"), ("role", "security_admin")];
    assert_eq!(submit(&site, &elsewhere, "/members/orgs/410000/add", &first).await.status(), StatusCode::FORBIDDEN);
    assert!(place(&submit(&site, &steward, "/members/orgs/000000/add", &first).await).contains("done=added"));
    let second = [("login", "guard2"), ("name", "安全员"), ("role", "security_admin")];
    assert_eq!(submit(&site, &steward, "/members/orgs/000000/add", &second).await.status(), StatusCode::FORBIDDEN, "only while there is none");
    let own = format!("{}/grant", urls::member(&node.id("steward").await));
    let guard = person(&node.web, "guard3", None, &[("000000", Role::SecurityAdmin)]).await;
    for role in ["system_admin", "audit_admin", "security_admin"] {
        let answer = submit(&site, &guard, &own, &[("org", "410000"), ("role", role)]).await;
        assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY, "a steward is no administrator");
        assert!(text(answer).await.contains("三种管理员互相分开"));
    }
    let both = [("login", "both"), ("name", "两个"), ("role", "system_admin"), ("role", "audit_admin")];
    let answer = submit(&site, &guard, "/members/orgs/000000/add", &both).await;
    assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let mut tx = node.web.app.db.read().await.expect("tx");
    assert!(kepu_store::account::find_by_login(&mut tx, "both").await.expect("find").is_none(), "nothing half done");
}

#[tokio::test]
async fn stewards_care_for_plain_accounts_and_the_security_administrator_for_all() {
    let h = house().await;
    let writer = person(&h.node.web, "writer", None, &[("411525", Role::Contributor)]).await;
    person(&h.node.web, "reviewer", None, &[("411525", Role::Reviewer)]).await;
    person(&h.node.web, "both", None, &[("411525", Role::Contributor), ("420000", Role::Contributor)]).await;
    let (plain, sensitive, both) = (h.path("writer").await, h.path("reviewer").await, h.path("both").await);
    let page = text(open(&h.site, &h.steward, &plain).await).await;
    assert!(page.contains(&format!("{plain}/disable")) && page.contains(&format!("{plain}/password")));
    let page = text(open(&h.site, &h.steward, &both).await).await;
    assert!(page.contains("在别的机构还有 1 个角色") && !page.contains("湖北省") && !page.contains(&format!("{both}/disable")));
    for path in [&sensitive, &both] {
        assert_eq!(submit(&h.site, &h.steward, &format!("{path}/password"), &[]).await.status(), StatusCode::FORBIDDEN);
        assert_eq!(submit(&h.site, &h.steward, &format!("{path}/disable"), &[]).await.status(), StatusCode::FORBIDDEN);
    }
    assert_eq!(place(&submit(&h.site, &h.steward, &format!("{plain}/disable"), &[]).await), format!("{plain}?done=disabled"));
    assert_eq!(open(&h.site, &writer, "/account").await.status(), StatusCode::UNAUTHORIZED, "its sessions end");
    assert!(sign_in(&h.node.web.app, "writer", PASSWORD, None, "").await.is_err());
    assert_eq!(place(&submit(&h.site, &h.steward, &format!("{plain}/enable"), &[]).await), format!("{plain}?done=enabled"));
    assert!(sign_in(&h.node.web.app, "writer", PASSWORD, None, "").await.is_ok());

    let reset = place(&submit(&h.site, &h.guard, &format!("{sensitive}/password"), &[("_once", "abcdefgh12345678")]).await);
    let password = secret(&text(open(&h.site, &h.guard, &reset).await).await);
    assert!(sign_in(&h.node.web.app, "reviewer", PASSWORD, None, "").await.is_err());
    assert!(sign_in(&h.node.web.app, "reviewer", &password, None, "").await.is_ok());
    let own = h.path("guard").await;
    assert_eq!(submit(&h.site, &h.guard, &format!("{own}/password"), &[]).await.status(), StatusCode::FORBIDDEN, "not one's own");
}

#[tokio::test]
async fn a_locked_name_is_unlocked_and_a_lost_second_factor_removed() {
    let h = house().await;
    person(&h.node.web, "reviewer", None, &[("411525", Role::Reviewer)]).await;
    let app = &h.node.web.app;
    for _ in 0..5 {
        assert!(sign_in(app, "reviewer", "wrong", None, "10.0.0.1").await.is_err());
    }
    assert!(matches!(sign_in(app, "reviewer", PASSWORD, None, "10.0.0.2").await, Err(AppError::Locked(_))));
    let path = h.path("reviewer").await;
    assert!(text(open(&h.site, &h.guard, &path).await).await.contains("锁定到"));
    assert_eq!(place(&submit(&h.site, &h.guard, &format!("{path}/unlock"), &[]).await), format!("{path}?done=unlocked"));
    assert!(sign_in(app, "reviewer", PASSWORD, None, "10.0.0.2").await.is_ok());
    let mut tx = app.db.write().await.expect("tx");
    let row = kepu_store::account::find_by_login(&mut tx, "reviewer").await.expect("find").expect("row");
    kepu_store::account::update(&mut tx, kepu_store::account::Row { totp_secret: Some(vec![1; 20]), ..row }).await.expect("update");
    tx.commit().await.expect("commit");
    assert!(matches!(sign_in(app, "reviewer", PASSWORD, None, "").await, Err(AppError::CodeNeeded(_))));
    assert_eq!(place(&submit(&h.site, &h.guard, &format!("{path}/second-factor"), &[]).await), format!("{path}?done=second-factor"));
    assert!(sign_in(app, "reviewer", PASSWORD, None, "").await.is_ok());
}

#[tokio::test]
async fn organisations_are_found_added_and_renamed_below_ones_own_only() {
    let h = house().await;
    let found = text(open(&h.site, &h.steward, "/members?q=%E5%8E%BF").await).await;
    assert!(found.contains("/members/orgs/411525") || found.contains("/members/orgs/4101"), "counties of the province");
    let outside = text(open(&h.site, &h.steward, "/members?q=%E6%AD%A6%E6%B1%89").await).await;
    assert!(outside.contains("没有名称带“武汉”的机构"));
    let add = [("org_name", "云岭县科协"), ("org_name_en", "Yunling Association"), ("org_kind", "territory")];
    let there = place(&submit(&h.site, &h.steward, "/members/orgs/411525/new", &add).await);
    assert!(there.starts_with("/members/orgs/org-"));
    let page = text(open(&h.site, &h.steward, &there).await).await;
    assert!(page.contains("云岭县科协") && page.contains("河南省") && page.contains("还没有成员"));
    let twin = submit(&h.site, &h.steward, "/members/orgs/411525/new", &add).await;
    assert!(text(twin).await.contains("已经有一个叫这个名字的机构"));
    let empty = submit(&h.site, &h.steward, "/members/orgs/411525/new", &[("org_name", ""), ("org_kind", "sector")]).await;
    assert!(text(empty).await.contains("href=\"#org_name\""));
    assert_eq!(submit(&h.site, &h.steward, "/members/orgs/420000/new", &add).await.status(), StatusCode::FORBIDDEN);
    assert_eq!(submit(&h.site, &h.guard, "/members/orgs/411525/new", &add).await.status(), StatusCode::FORBIDDEN);
    let rename = [("org_name", "云岭县科学技术协会"), ("version", "1")];
    assert_eq!(place(&submit(&h.site, &h.steward, &format!("{there}/rename"), &rename).await), there);
    let stale = submit(&h.site, &h.steward, &format!("{there}/rename"), &[("org_name", "别的"), ("version", "1")]).await;
    assert_eq!(stale.status(), StatusCode::CONFLICT);
    let fixed = submit(&h.site, &h.steward, "/members/orgs/411525/rename", &[("org_name", "别的"), ("version", "1")]).await;
    assert!(text(fixed).await.contains("行政区划的名称来自国家标准"));
}

#[tokio::test]
async fn a_registry_entry_is_linked_by_its_own_organisation_only() {
    let h = house().await;
    let app = &h.node.web.app;
    let party = |id: &str, org: &str| Entry {
        name_fold: kepu_text::fold("周医生"),
        party: Party { id: id.into(), name: "周医生".into(), org: org.into(), fields: vec!["health".into()], ..Party::default() },
        changed_at: 0,
        version: 1,
    };
    let mut tx = app.db.write().await.expect("tx");
    kepu_store::create::party::upsert_many(&mut tx, &[party("ours", "411525"), party("theirs", "420000")]).await.expect("parties");
    tx.commit().await.expect("commit");
    person(&h.node.web, "reviewer", None, &[("411525", Role::Reviewer)]).await;
    let path = h.path("reviewer").await;
    let stolen = submit(&h.site, &h.steward, &format!("{path}/describe"), &[("name", "周"), ("party", "theirs")]).await;
    assert!(text(stolen).await.contains("不归您管理"), "nobody reviews under the name of another house's expert");
    let linked = submit(&h.site, &h.steward, &format!("{path}/describe"), &[("name", "周"), ("party", "ours")]).await;
    assert_eq!(place(&linked), format!("{path}?done=described"));
    assert!(text(open(&h.site, &h.steward, &path).await).await.contains("周医生"));
}

#[tokio::test]
async fn files_for_spreadsheets_run_nothing_and_are_logged() {
    let h = house().await;
    let mut tx = h.node.web.app.db.write().await.expect("tx");
    let operator = Actor::Node { name: "operator".into() };
    let nasty = "=HYPERLINK(\"http://evil.example\",\"x\")";
    let new = kepu_app::account::NewAccount { login: "@cmd".into(), name: nasty.into(), password: PASSWORD.into(), party: None, must_change: true };
    let id = kepu_app::account::create(&h.node.web.app, &mut tx, &operator, new).await.expect("account");
    kepu_app::account::grant_in(&h.node.web.app, &mut tx, &operator, &id, &"410000".into(), Role::Contributor).await.expect("role");
    tx.commit().await.expect("commit");
    for (who, path) in [(&h.steward, "/members/orgs/410000?format=csv"), (&h.guard, "/members/people?format=csv")] {
        let file = text(open(&h.site, who, path).await).await;
        assert!(file.starts_with('\u{feff}'), "office programs read it as UTF-8");
        assert!(file.contains("'@cmd,\"'=HYPERLINK(\"\"http://evil.example\"\",\"\"x\"\")\"") && !file.contains("\n=") && !file.contains(",="), "{file}");
    }
    let mut tx = h.node.web.app.db.read().await.expect("tx");
    let filter = kepu_store::log::Filter { action: Some("member.exported".into()), ..Default::default() };
    assert_eq!(kepu_store::log::list(&mut tx, &filter, None, 9).await.expect("list").len(), 2);
}

#[tokio::test]
async fn accounts_not_used_for_ninety_days_stand_in_the_report() {
    let h = house().await;
    person(&h.node.web, "writer", None, &[("410000", Role::Contributor)]).await;
    assert!(!text(open(&h.site, &h.guard, "/members/people?show=stale").await).await.contains("writer"));
    // Ninety days later only the security administrator has been here.
    let later = h.node.restarted(91 * 24 * 60).await;
    let session = sign_in(&later.app, "guard", PASSWORD, None, "").await.expect("session");
    let guard = Person { cookie: format!("kepu_session={}", session.token), csrf: session.csrf };
    let site = router(later);
    let page = text(open(&site, &guard, "/members/people?show=stale").await).await;
    assert!(page.contains("writer") && page.contains("steward") && !page.contains(&h.path("guard").await), "{page}");
}

#[tokio::test]
async fn programs_read_what_the_pages_show() {
    let h = house().await;
    person(&h.node.web, "writer", None, &[("410000", Role::Contributor)]).await;
    let json = async |who: &Person, path: &str| serde_json::from_str::<serde_json::Value>(&text(open(&h.site, who, path).await).await).expect("JSON");
    assert_eq!(json(&h.steward, "/api/account").await["roles"][0]["role"], "steward");
    assert_eq!(json(&h.steward, "/api/members").await[0]["id"], "410000");
    let first = json(&h.steward, "/api/members/orgs/410000?limit=1").await;
    assert_eq!(first["items"][0]["login"], "steward");
    let next = first["next"].as_str().expect("next");
    assert_eq!(json(&h.steward, next).await["items"][0]["login"], "writer");
    assert_eq!(json(&h.guard, "/api/members/people").await["items"].as_array().expect("items").len(), 3);
    let writer = h.node.id("writer").await;
    assert_eq!(json(&h.steward, &format!("/api/members/people/{writer}")).await["name"], "writer");
    assert_eq!(open(&h.site, &h.steward, "/api/members/people").await.status(), StatusCode::FORBIDDEN);
}
