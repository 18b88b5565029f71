//! The audit log, through the router: who may read it, filters and pages, tampering found, anchors, exports.

use super::{Node, PASSWORD, Person, hidden, node, open, person, place, request, send, submit, text};
use crate::router;
use axum::Router;
use axum::http::{Method, StatusCode, header};
use kepu_app::audit::{self, ANCHORS, AnchorFault};
use kepu_domain::access::Role;
use kepu_domain::log::Break;

struct Log {
    node: Node,
    site: Router,
    auditor: Person,
}

async fn log() -> Log {
    let node = node().await;
    let auditor = person(&node.web, "shenji", None, &[("000000", Role::AuditAdmin)]).await;
    Log { site: router(node.web.clone()), node, auditor }
}

impl Log {
    /// Runs a statement that the program has no function for.
    async fn tamper(&self, sql: &'static str) {
        let mut tx = self.node.web.app.db.write().await.expect("tx");
        kepu_store::both!(&mut tx, c => sqlx::query(sql).execute(c).await.map(drop)).expect("statement");
        tx.commit().await.expect("commit");
    }
    async fn page(&self, path: &str) -> String {
        text(open(&self.site, &self.auditor, path).await).await
    }
}

#[tokio::test]
async fn only_the_audit_administrator_reads_the_log_and_nothing_else() {
    let l = log().await;
    let everybody = [Role::Editor, Role::Steward, Role::SystemAdmin, Role::SecurityAdmin];
    for (n, role) in everybody.into_iter().enumerate() {
        let who = person(&l.node.web, &format!("person{n}"), None, &[("000000", role)]).await;
        for path in ["/audit", "/audit?format=csv", "/api/audit"] {
            assert_eq!(open(&l.site, &who, path).await.status(), StatusCode::FORBIDDEN, "{role:?} {path}");
        }
        assert_eq!(submit(&l.site, &who, "/audit/verify", &[]).await.status(), StatusCode::FORBIDDEN);
    }
    assert_eq!(send(&l.site, request(Method::GET, "/audit", "", "")).await.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(open(&l.site, &l.auditor, "/audit").await.status(), StatusCode::OK);
    assert_eq!(open(&l.site, &l.auditor, "/members").await.status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn entries_are_sentences_that_can_be_filtered() {
    let l = log().await;
    person(&l.node.web, "hejing", None, &[("410000", Role::Editor)]).await;
    let _ = kepu_app::account::sign_in(&l.node.web.app, "hejing", "wrong", None, "10.0.0.1").await;
    let page = l.page("/audit").await;
    assert!(page.contains("授予角色") && page.contains("hejing（hejing） · 编辑 · 河南省") && page.contains("登录失败"), "{page}");
    assert!(!page.contains("10.0.0.1"));
    let mine = l.page("/audit?who=hejing").await;
    assert!(mine.contains("hejing（hejing）") && !mine.contains("shenji（shenji）</td>"), "a sign-in name stands for its account");
    let refused = l.page("/audit?result=refused").await;
    assert_eq!(refused.matches("<tr>").count(), 2, "{refused}");
    assert!(refused.contains("part&quot;:&quot;password") || refused.contains("part&#34;:&#34;password"), "{refused}");
    let today = l.node.web.app.today();
    assert!(l.page(&format!("/audit?from={today}&to={today}&action=node.begun")).await.contains("建立节点"));
    assert!(l.page("/audit?to=2020-01-01").await.contains("没有符合的记录"));
    assert!(l.page("/audit?action=strange.word&from=nonsense").await.contains("<option value=\"strange.word\" selected>"));
    let english = text(send(&l.site, request(Method::GET, "/audit?lang=en", &l.auditor.cookie, "")).await).await;
    assert!(english.contains("Granted a role"));
}

#[tokio::test]
async fn pages_follow_a_cursor_without_gap_or_repetition() {
    let l = log().await;
    let mut tx = l.node.web.app.db.write().await.expect("tx");
    for n in 0..120 {
        kepu_store::log::append(&mut tx, l.node.web.app.now(), "operator", "import.batch", &n.to_string(), "ok", "").await.expect("append");
    }
    tx.commit().await.expect("commit");
    let (mut path, mut seen) = ("/audit?action=import.batch".to_owned(), Vec::new());
    loop {
        let page = l.page(&path).await;
        seen.extend(page.split("<td class=\"num\">").skip(1).map(|rest| rest.split('<').next().unwrap_or_default().parse::<i64>().expect("number")));
        match page.split("\" rel=\"next\"").next().filter(|_| page.contains("rel=\"next\"")).and_then(|head| head.rsplit("href=\"").next()) {
            Some(next) => path = next.replace("&amp;", "&").replace("&#38;", "&"),
            None => break,
        }
    }
    assert_eq!(seen.len(), 120);
    assert!(seen.windows(2).all(|pair| pair[0] == pair[1] + 1), "newest first, each once");
}

#[tokio::test]
async fn a_changed_entry_is_found_and_said_in_words() {
    let l = log().await;
    assert!(l.page("/audit").await.contains("还没有核对过"));
    assert_eq!(place(&submit(&l.site, &l.auditor, "/audit/verify", &[]).await), "/audit#proof");
    let page = l.page("/audit").await;
    assert!(page.contains("首尾相接") && page.contains("核对日志"), "the check is itself an entry");
    l.tamper("UPDATE log SET who = 'operator2' WHERE seq = 2").await;
    submit(&l.site, &l.auditor, "/audit/verify", &[]).await;
    let page = l.page("/audit").await;
    assert!(page.contains("第 2 条被改动过") && page.contains("请不要再改动数据库"), "{page}");
    let value: serde_json::Value = serde_json::from_str(&l.page("/api/audit?limit=1").await).expect("JSON");
    assert_eq!((&value["checked"]["whole"], &value["checked"]["broken"], &value["checked"]["cause"]), (&false.into(), &2.into(), &"changed".into()));
    l.tamper("UPDATE log SET who = 'operator' WHERE seq = 2").await;
    // A cut end takes no further entry, and is told all the same.
    l.tamper("DELETE FROM log WHERE seq = (SELECT MAX(seq) FROM log)").await;
    assert_eq!(place(&submit(&l.site, &l.auditor, "/audit/verify", &[]).await), "/audit#proof");
    assert!(l.page("/audit").await.contains("缺失"));
}

#[tokio::test]
async fn an_anchor_shows_a_log_that_was_written_anew() {
    let l = log().await;
    let app = &l.node.web.app;
    assert!(audit::anchor(app).await.expect("anchor"));
    assert!(!audit::anchor(app).await.expect("anchor"), "one a day");
    let checked = audit::check(app).await.expect("check");
    assert!(checked.is_whole() && checked.anchors == 1);
    // Somebody who knows how entries are hashed makes the whole chain fit again.
    let mut tx = app.db.write().await.expect("tx");
    let entries = kepu_store::log::list_after(&mut tx, 0, 1_000).await.expect("list");
    let mut previous = kepu_domain::log::GENESIS.to_owned();
    for stored in entries {
        let mut entry = stored.entry;
        if entry.seq == 2 {
            entry.who = "somebody-else".into();
        }
        let hash = entry.hash(&previous);
        let (seq, who) = (entry.seq, entry.who.clone());
        let sql = "UPDATE log SET who = $2, prev_hash = $3, hash = $4 WHERE seq = $1";
        kepu_store::both!(&mut tx, c => sqlx::query(sql).bind(seq).bind(&who).bind(&previous).bind(&hash).execute(c).await.map(drop)).expect("update");
        previous = hash;
    }
    tx.commit().await.expect("commit");
    let checked = audit::check(app).await.expect("check");
    assert_eq!(checked.broken, None, "the chain alone says nothing");
    assert_eq!(checked.wrong, [(app.today().to_string(), AnchorFault::Differs)]);
    submit(&l.site, &l.auditor, "/audit/verify", &[]).await;
    assert!(l.page("/audit").await.contains("日志被改写或截断过"));

    let file = app.data().join(ANCHORS).join(app.today().to_string());
    let text = std::fs::read_to_string(&file).expect("anchor");
    std::fs::write(&file, text.replace("\"seq\": ", "\"seq\": 1")).expect("write");
    assert_eq!(audit::check(app).await.expect("check").wrong[0].1, AnchorFault::Forged);
    std::fs::write(&file, "no anchor").expect("write");
    assert_eq!(audit::check(app).await.expect("check").wrong[0].1, AnchorFault::Unreadable);
    assert_eq!(Break::Missing.as_str(), "missing");
}

#[tokio::test]
async fn exports_are_safe_for_spreadsheets_and_logged() {
    let l = log().await;
    let mut tx = l.node.web.app.db.write().await.expect("tx");
    kepu_store::log::append(&mut tx, l.node.web.app.now(), "=cmd()", "import.batch", "+1+1", "ok", "").await.expect("append");
    tx.commit().await.expect("commit");
    let answer = open(&l.site, &l.auditor, "/audit?format=csv").await;
    assert_eq!(answer.headers()[header::CONTENT_TYPE], "text/csv; charset=utf-8");
    let csv = text(answer).await;
    assert!(csv.contains(",'=cmd(),") && csv.contains(",'+1+1,") && csv.contains("批量导入"), "{csv}");
    let json: serde_json::Value = serde_json::from_str(&text(open(&l.site, &l.auditor, "/audit?format=json&action=import.batch").await).await).expect("JSON");
    assert_eq!(json[0]["object"], "+1+1");
    assert_eq!(l.page("/audit?action=audit.exported").await.matches("<tr>").count(), 3, "two exports");
}

#[tokio::test]
async fn what_has_ended_is_removed_and_the_removal_is_noted() {
    let l = log().await;
    let _ = kepu_app::account::sign_in(&l.node.web.app, "nobody", "wrong", None, "10.0.0.1").await;
    let later = l.node.restarted(32 * 24 * 60).await;
    kepu_app::job::expire::run(&later.app).await.expect("expired");
    kepu_app::audit::anchor(&later.app).await.expect("anchor");
    let session = kepu_app::account::sign_in(&later.app, "shenji", PASSWORD, None, "").await.expect("session");
    let auditor = Person { cookie: format!("kepu_session={}", session.token), csrf: session.csrf };
    let page = text(open(&router(later.clone()), &auditor, "/audit?action=data.expired").await).await;
    assert!(page.contains("删除保存期满的内容") && !hidden(&page, "_csrf").is_empty());
    let mut tx = later.app.db.read().await.expect("tx");
    assert!(kepu_store::login_lock::find(&mut tx, "login:nobody").await.expect("find").is_none());
    assert!(later.app.data().join(ANCHORS).join(later.app.today().to_string()).exists());
}
