//! What lanes ask and refuse: who may write and review, what machines find first, the queue given away and taken back, remarks, disagreement.

use super::drafts::{Team, complete, place, team};
use super::{open, person, request, send, submit, text};
use crate::urls;
use axum::http::{Method, StatusCode};
use jiff::civil::date;
use kepu_domain::access::{Actor, Role};
use kepu_domain::create::party::Party;
use kepu_domain::ids::{DraftId, PartyId};
use kepu_store::create::{party, review};

impl Team {
    /// Changes a registry entry as time would: no form does it.
    async fn change(&self, id: &str, change: impl FnOnce(&mut Party)) {
        let mut tx = self.node.web.app.db.write().await.expect("tx");
        let mut entry = party::find_entry(&mut tx, &PartyId::from(id)).await.expect("find").expect("entry");
        change(&mut entry.party);
        party::upsert_many(&mut tx, &[entry]).await.expect("store");
        tx.commit().await.expect("commit");
    }
    /// The statuses of the tasks on a draft, by reviewer.
    async fn tasks(&self, id: &DraftId) -> Vec<(String, bool)> {
        let mut tx = self.node.web.app.db.read().await.expect("tx");
        let list = review::list_by_draft(&mut tx, id).await.expect("list");
        let open = |r: &kepu_domain::create::review::Review| matches!(r.stage, kepu_domain::create::review::Stage::Assigned { .. });
        list.iter().map(|r| (r.reviewer.0.clone(), open(r))).collect()
    }
}

#[tokio::test]
async fn a_medical_text_by_an_unqualified_author_cannot_leave_draft_by_page_api_import_or_peer() {
    let t = team().await;
    let lay = person(&t.node.web, "lay", Some("p-xu"), &[("org-nat", Role::Contributor)]).await;
    let id = t.begin(&lay, "resource", "怎样喝水").await;
    // By page: it is said from the start what is asked, and refused when it is given to review.
    t.send(&lay, &urls::draft(&id), &complete(t.form(&id).await).with("do", "save")).await;
    let page = text(open(&t.site, &lay, &urls::draft(&id)).await).await;
    assert!(page.contains("审核通道：医疗健康") && page.contains("作者没有核验过、未过期的相关资格"), "{page}");
    let answer = t.send(&lay, &urls::draft(&id), &complete(t.form(&id).await).with("do", "submit")).await;
    assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);
    // Nor by an editor for them, nor by whoever types another name.
    let named = complete(t.form(&id).await).with("author_name", "周示例").with("do", "submit");
    assert_eq!(t.send(&t.editor, &urls::draft(&id), &named).await.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(submit(&t.site, &t.editor, &format!("/drafts/{id}/publish"), &[]).await.status(), StatusCode::CONFLICT);
    // For programs it is the same draft with the same findings.
    let said = text(open(&t.site, &lay, &format!("/api/drafts/{id}")).await).await;
    assert!(said.contains("author_unqualified") && said.contains("\"state\":\"writing\""), "{said}");
    // A qualified colleague goes on with it under their own name.
    let page = text(open(&t.site, &lay, &urls::draft(&id)).await).await;
    assert!(page.contains("value=\"p-zhou\"") && page.contains("请有资格的人接着写"));
    let refused = submit(&t.site, &lay, &format!("/drafts/{id}/hand-on"), &[("successor", "p-xu")]).await;
    assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(place(&submit(&t.site, &lay, &format!("/drafts/{id}/hand-on"), &[("successor", "p-zhou")]).await), "/drafts?done=handed");
    assert_eq!(t.send(&t.doctor, &urls::draft(&id), &complete(t.form(&id).await).with("do", "submit")).await.status(), StatusCode::SEE_OTHER);
    // By a peer: `kepu-domain::publication` hides it at every node, whoever signed the record. By import: see below.
    t.approved(&id).await;
    let public = t.published(&id).await;
    let page = text(send(&t.site, request(Method::GET, &public, "", "")).await).await;
    assert!(page.contains("执业医师（示例，虚构）") && page.contains("/lanes#medical"), "readers see lane and qualification");
}

#[tokio::test]
async fn a_qualification_that_ends_between_assignment_and_decision_hands_the_task_on() {
    let t = team().await;
    let id = t.submitted("怎样喝水").await;
    let task = t.assigned(&id, "p-lin", &t.review1).await;
    t.change("p-lin", |party| party.qualifications[0].until = Some(date(2026, 1, 6))).await;
    let answer = submit(&t.site, &t.review1, &task, &[("decision", "approve"), ("conflict", "无"), ("comment", "")]).await;
    assert_eq!(answer.status(), StatusCode::CONFLICT);
    assert!(text(answer).await.contains("资格已到期或被撤回"));
    let tasks = t.tasks(&id).await;
    assert_eq!(tasks[0], ("p-lin".into(), false));
    assert!(tasks.len() == 3 && tasks[1..].iter().all(|(who, open)| *open && who != "p-lin" && who != "p-zhou"), "{tasks:?}");
    // An author whose qualification ends meanwhile is found out when it is to be signed.
    let other = t.submitted("怎样午睡").await;
    t.change("p-zhou", |party| party.qualifications[0].verified = None).await;
    let answer = submit(&t.site, &t.editor, &format!("/drafts/{other}/publish"), &[]).await;
    assert!(text(answer).await.contains("作者没有核验过"), "whatever was approved");
}

#[tokio::test]
async fn what_is_not_cleared_or_marked_secret_is_refused_and_not_stored() {
    let t = team().await;
    let id = t.begin(&t.doctor, "resource", "看得见的雷达").await;
    let form = complete(t.form(&id).await).with("fields", "equipment").with("type", "defence").with("text", "这段话没有批准，不该留下。").with("do", "save");
    let answer = t.send(&t.doctor, &urls::draft(&id), &form).await;
    assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert!(text(answer).await.contains("这类内容没有保存"));
    let held = text(open(&t.site, &t.doctor, &format!("/api/drafts/{id}")).await).await;
    assert!(!held.contains("这段话没有批准"), "{held}");
    let secret = complete(t.form(&id).await).with("text", "机密★三年：以下参数不得写出。").with("do", "save");
    let answer = t.send(&t.doctor, &urls::draft(&id), &secret).await;
    assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert!(!text(open(&t.site, &t.doctor, &format!("/api/drafts/{id}")).await).await.contains("以下参数"));
    let cleared = form
        .with("detail-clearance_number", "示例〔2026〕7号")
        .with("detail-cleared_by", "示例机关")
        .with("detail-cleared_scope", "外观和原理")
        .with("detail-cleared_until", "2099-12-31");
    assert_eq!(place(&t.send(&t.doctor, &urls::draft(&id), &cleared.clone()).await), format!("/drafts/{id}?done=saved"));
    let expired = cleared.with("version", "2").with("detail-cleared_until", "2020-01-01");
    assert_eq!(t.send(&t.doctor, &urls::draft(&id), &expired).await.status(), StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn what_contradicts_a_judged_claim_is_pointed_out_and_a_reason_lets_it_to_reviewers() {
    let t = team().await;
    let claim = {
        let mut tx = t.node.web.app.db.read().await.expect("tx");
        let filter = kepu_store::subject::Filter { kind: Some("claim".into()), verdict: Some("false".into()), ..Default::default() };
        kepu_store::subject::list(&mut tx, &filter, kepu_store::subject::Order::Newest, None, 1).await.expect("list").remove(0)
    };
    let id = t.begin(&t.doctor, "resource", "一篇短文").await;
    let words = format!("{}。孕妇请先看医生。", claim.title);
    t.send(&t.doctor, &urls::draft(&id), &complete(t.form(&id).await).with("text", &words).with("do", "save")).await;
    let page = text(open(&t.site, &t.doctor, &urls::draft(&id)).await).await;
    assert!(page.contains("与已核查的说法相反") && page.contains(&urls::claim(&claim.id)), "{page}");
    let answer = t.send(&t.doctor, &urls::draft(&id), &t.form(&id).await.with("do", "submit")).await;
    assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let at = page.find("name=\"finding\" value=\"contradicts").expect("it may be excused") + 22;
    let key = page[at..].split('"').next().unwrap_or_default().to_owned();
    let excuse = format!("/drafts/{id}/excuse");
    assert_eq!(submit(&t.site, &t.doctor, &excuse, &[("finding", "advert|加微信"), ("reason", "x")]).await.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(
        place(&submit(&t.site, &t.doctor, &excuse, &[("finding", &key), ("reason", "这里是引用，下文会反驳")]).await),
        format!("/drafts/{id}?done=saved")
    );
    let answer = t.send(&t.doctor, &urls::draft(&id), &t.form(&id).await.with("do", "submit")).await;
    assert_eq!(place(&answer), format!("/drafts/{id}?done=submitted"));
    let task = t.assigned(&id, "p-lin", &t.review1).await;
    assert!(text(open(&t.site, &t.review1, &task).await).await.contains("这里是引用，下文会反驳"), "reviewers read the reason");
}

#[tokio::test]
async fn the_queue_is_shown_given_away_once_and_taken_back() {
    let t = team().await;
    let id = t.submitted("怎样喝水").await;
    assert_eq!(open(&t.site, &t.review1, "/reviews/queue").await.status(), StatusCode::FORBIDDEN);
    let page = text(open(&t.site, &t.editor, "/reviews/queue").await).await;
    assert!(page.contains("怎样喝水") && page.contains("已证明没有更好的分法") && page.contains("为什么不是别人"), "{page}");
    assert!(!page.contains("周示例 <span class=\"small quiet\">对口"), "the author is given nothing");
    let seen = super::hidden(&page, "seen");
    let stale = submit(&t.site, &t.editor, "/reviews/queue", &[("seen", "0000000000000000")]).await;
    assert_eq!(stale.status(), StatusCode::CONFLICT);
    assert_eq!(place(&submit(&t.site, &t.editor, "/reviews/queue", &[("seen", &seen)]).await), "/reviews/queue?done=given");
    assert_eq!(t.tasks(&id).await.iter().filter(|(_, open)| *open).count(), 2);
    let again = text(open(&t.site, &t.editor, "/reviews/queue").await).await;
    assert!(again.contains("没有等人审的稿件"), "nothing is given twice");
    let run = super::hidden(&again, "run");
    assert_eq!(submit(&t.site, &t.stranger, "/reviews/undo", &[("run", &run)]).await.status(), StatusCode::NOT_FOUND);
    assert_eq!(place(&submit(&t.site, &t.editor, "/reviews/undo", &[("run", &run)]).await), "/reviews/queue?done=undone");
    assert!(t.tasks(&id).await.is_empty());
    assert_eq!(submit(&t.site, &t.editor, "/reviews/undo", &[("run", &run)]).await.status(), StatusCode::CONFLICT);
    // The night does the same.
    kepu_app::create::review::queue::nightly(&t.node.web.app).await.expect("night");
    assert_eq!(t.tasks(&id).await.len(), 2);
    let page = text(open(&t.site, &t.review1, "/reviews/fairness").await).await;
    assert!(page.contains("基尼系数") && !page.contains("林示例"), "figures, no names");
}

#[tokio::test]
async fn where_one_approves_and_another_returns_a_third_decides() {
    let t = team().await;
    let id = t.submitted("怎样喝水").await;
    let first = t.assigned(&id, "p-lin", &t.review1).await;
    let second = t.assigned(&id, "p-meng", &t.review2).await;
    submit(&t.site, &t.review1, &first, &[("decision", "approve"), ("conflict", "无")]).await;
    let answer = submit(&t.site, &t.review2, &second, &[("decision", "return"), ("conflict", "无"), ("comment", "水量要分人群")]).await;
    assert_eq!(place(&answer), "/reviews?done=returned");
    let page = text(open(&t.site, &t.editor, &urls::draft(&id)).await).await;
    assert!(page.contains("意见不一，还要 1 位决定"), "{page}");
    assert_eq!(submit(&t.site, &t.editor, &format!("/drafts/{id}/publish"), &[]).await.status(), StatusCode::CONFLICT);
    let third = t.tasks(&id).await.into_iter().find(|(_, open)| *open).expect("a third was asked at once").0;
    let judge = person(&t.node.web, "third", Some(&third), &[("org-nat", Role::Reviewer)]).await;
    let list = text(open(&t.site, &judge, "/reviews").await).await;
    let at = list.find("href=\"/reviews/").map(|at| at + 6).expect("a task");
    let task = list[at..].split('"').next().unwrap_or_default().to_owned();
    assert_eq!(place(&submit(&t.site, &judge, &task, &[("decision", "approve"), ("conflict", "无")]).await), "/reviews?done=approved");
    t.published(&id).await;
}

#[tokio::test]
async fn a_remark_stays_with_its_sentence_and_the_writer_settles_it() {
    let t = team().await;
    let id = t.submitted("怎样喝水").await;
    t.assigned(&id, "p-lin", &t.review1).await;
    let place_of = format!("/drafts/{id}/remarks");
    let page = text(open(&t.site, &t.review1, &place_of).await).await;
    let at = page.find("<option value=\"").expect("sentences");
    let all: Vec<(String, String)> = page[at..]
        .split("<option value=\"")
        .skip(1)
        .map(|part| (part.split('"').next().unwrap_or_default().to_owned(), part.split('>').nth(1).unwrap_or_default().to_owned()))
        .collect();
    let (anchor, _) = all.iter().find(|(_, words)| words.contains("1500")).expect("the sentence");
    let say = async |who: &super::Person, fields: &[(&str, &str)]| {
        let parts = fields.iter().copied().chain([("draft", id.as_str()), ("_csrf", who.csrf.as_str())]);
        let body: String =
            parts.map(|(name, value)| format!("--k\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")).collect::<String>() + "--k--\r\n";
        let mut form = request(Method::POST, "/remarks", &who.cookie, &body);
        form.headers_mut().insert("content-type", "multipart/form-data; boundary=k".parse().expect("type"));
        send(&t.site, form).await
    };
    assert_eq!(say(&t.review1, &[("anchor", anchor), ("body", " ")]).await.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(say(&t.stranger, &[("anchor", anchor), ("body", "x")]).await.status(), StatusCode::NOT_FOUND);
    assert_eq!(say(&t.review1, &[("anchor", "0000"), ("body", "x")]).await.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(place(&say(&t.review1, &[("anchor", anchor), ("body", "请写明是成年人<b>")]).await), format!("{place_of}?done=remarked"));
    // The text around it changes; the remark still stands at its sentence, and is lost with it only.
    submit(&t.site, &t.doctor, &format!("/drafts/{id}/take-back"), &[]).await;
    let form = t.form(&id).await.with("text", "先说结论。**每天喝水约1500毫升**，少量多次。\n\n不舒服请看医生，孕妇先问医生。").with("do", "save");
    t.send(&t.doctor, &urls::draft(&id), &form).await;
    let page = text(open(&t.site, &t.doctor, &urls::draft(&id)).await).await;
    assert!(page.contains("请写明是成年人&#60;b&#62;") || page.contains("请写明是成年人&lt;b&gt;"), "{page}");
    assert!(!page.contains("这句话已经改掉或删去"));
    let page = text(open(&t.site, &t.doctor, &place_of).await).await;
    let remark = super::hidden(&page, "remark");
    assert_eq!(place(&say(&t.doctor, &[("parent", &remark), ("body", "已写明")]).await), format!("{place_of}?done=remarked"));
    assert_eq!(submit(&t.site, &t.review1, &format!("/drafts/{id}/settle"), &[("remark", &remark)]).await.status(), StatusCode::FORBIDDEN);
    assert_eq!(place(&submit(&t.site, &t.doctor, &format!("/drafts/{id}/settle"), &[("remark", &remark)]).await), format!("{place_of}?done=settled"));
    let form = t.form(&id).await.with("text", "全换了，什么也没留下。\n\n不舒服请看医生，孕妇先问医生。").with("do", "save");
    t.send(&t.doctor, &urls::draft(&id), &form).await;
    assert!(text(open(&t.site, &t.doctor, &place_of).await).await.contains("这句话已经改掉或删去"));
}

#[tokio::test]
async fn a_checklist_is_ticked_off_before_a_standard_is_approved_and_readers_see_it() {
    let t = team().await;
    let id = t.begin(&t.doctor, "resource", "一项标准").await;
    let form = complete(t.form(&id).await).with("fields", "food").with("type", "standard").with("text", "规定了怎样写标签，适用于预包装食品。");
    let form = form.with("detail-number", "GB/T 1").with("detail-issuer", "示例").with("fields", "market");
    assert_eq!(place(&t.send(&t.doctor, &urls::draft(&id), &form.with("do", "submit")).await), format!("/drafts/{id}?done=submitted"));
    let judge = person(&t.node.web, "judge", Some("p-ding"), &[("org-nat", Role::Reviewer)]).await;
    let task = t.assigned(&id, "p-ding", &judge).await;
    let page = text(open(&t.site, &judge, &task).await).await;
    assert!(page.contains("value=\"in_force\""));
    let answer = submit(&t.site, &judge, &task, &[("decision", "approve"), ("conflict", "无"), ("checks", "number")]).await;
    assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert!(text(answer).await.contains("还没有核对"));
    let all = [("decision", "approve"), ("conflict", "无"), ("checks", "number"), ("checks", "in_force"), ("checks", "scope"), ("checks", "words")];
    assert_eq!(place(&submit(&t.site, &judge, &task, &all).await), "/reviews?done=approved");
    let page = text(send(&t.site, request(Method::GET, &t.published(&id).await, "", "")).await).await;
    assert!(page.contains("核对表") && page.contains("适用范围说清楚了"));
}

#[tokio::test]
async fn whoever_declares_an_interest_is_not_asked_about_this_author_again() {
    let t = team().await;
    let id = t.submitted("怎样喝水").await;
    let task = t.assigned(&id, "p-lin", &t.review1).await;
    submit(&t.site, &t.review1, &format!("{task}/decline"), &[("reason", "是我的学生"), ("interest", "1")]).await;
    let other = t.submitted("怎样午睡").await;
    let answer = submit(&t.site, &t.editor, &format!("/drafts/{other}/assign"), &[("reviewer", "p-lin")]).await;
    assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);
    kepu_app::create::review::queue::nightly(&t.node.web.app).await.expect("night");
    for draft in [&id, &other] {
        assert!(!t.tasks(draft).await.contains(&("p-lin".into(), true)));
    }
}

#[tokio::test]
async fn what_cites_something_withdrawn_is_put_on_its_editors_desk_and_readers_are_told() {
    let t = team().await;
    let id = t.submitted("怎样喝水").await;
    t.approved(&id).await;
    let public = t.published(&id).await;
    let base = {
        let operator = Actor::Node { name: "operator".into() };
        kepu_app::create::draft::get(&t.node.web.app, &operator, &id).await.expect("draft").subject
    };
    let made = t.begin(&t.doctor, "resource", "夏天怎样喝水").await;
    let form = complete(t.form(&made).await).with("source_url", &format!("https://kepu.example.cn{public}"));
    t.send(&t.doctor, &urls::draft(&made), &form.with("do", "submit")).await;
    t.approved(&made).await;
    let later = t.published(&made).await;
    submit(&t.site, &t.editor, &urls::take_back("withdraw", &base), &[("reason", "指南已经更新，正在重写。")]).await;
    kepu_app::create::recheck::nightly(&t.node.web.app).await.expect("night");
    let page = text(send(&t.site, request(Method::GET, &later, "", "")).await).await;
    assert!(page.contains("正在提前复核") && page.contains("引用的内容已撤回"), "{page}");
    assert!(text(open(&t.site, &t.editor, "/desk").await).await.contains("夏天怎样喝水"));
}

#[tokio::test]
async fn lanes_are_public_and_announced_by_the_root_only_once() {
    let t = team().await;
    let page = text(send(&t.site, request(Method::GET, "/lanes", "", "")).await).await;
    assert!(page.contains("医疗健康") && page.contains("国防与保密设施") && page.contains("全网签名生效"));
    let admin = person(&t.node.web, "admin", None, &[("000000", Role::SystemAdmin)]).await;
    assert_eq!(submit(&t.site, &admin, "/lanes", &[]).await.status(), StatusCode::CONFLICT, "it says so already");
    assert_eq!(submit(&t.site, &t.editor, "/lanes", &[]).await.status(), StatusCode::FORBIDDEN);
}
