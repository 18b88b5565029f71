//! Writing, reviewing, publishing, correcting and withdrawing through forms, and everything that is refused on the way.

use super::{Node, Person, open, person, request, seeded, send, submit, text};
use crate::create::edit;
use crate::form::Fields;
use crate::urls;
use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, Response, StatusCode, header};
use kepu_app::create::draft;
use kepu_domain::access::{Actor, Role};
use kepu_domain::ids::{DraftId, SubjectId};

/// Looks like markup in every way a page could be fooled.
const NASTY: &str = "</textarea></script><script>alert(1)</script><img src=x onerror=alert(1)>\" onfocus=\"alert(1)";
/// A name outside the basic plane, with a variation selector.
const RARE: &str = "王\u{20BB7}\u{E0100}";

/// The people of a sample institution.
pub(super) struct Team {
    pub(super) node: Node,
    pub(super) site: Router,
    pub(super) editor: Person,
    pub(super) doctor: Person,
    pub(super) review1: Person,
    pub(super) review2: Person,
    pub(super) duty: Person,
    /// Writes too, but for another institution.
    pub(super) stranger: Person,
    /// A public claim.
    pub(super) claim: SubjectId,
}

pub(super) async fn team() -> Team {
    let (node, site, claim) = seeded().await;
    let web = &node.web;
    let at = |role| [("org-nat", role)];
    let editor = person(web, "editor", Some("p-wei"), &at(Role::Editor)).await;
    let doctor = person(web, "doctor", Some("p-zhou"), &at(Role::Contributor)).await;
    let review1 = person(web, "review1", Some("p-lin"), &at(Role::Reviewer)).await;
    let review2 = person(web, "review2", Some("p-meng"), &at(Role::Reviewer)).await;
    let duty = person(web, "duty", None, &at(Role::DutyOfficer)).await;
    let stranger = person(web, "stranger", None, &[("org-med", Role::Editor), ("org-med", Role::Reviewer)]).await;
    Team { node, site, editor, doctor, review1, review2, duty, stranger, claim }
}

impl Team {
    async fn stored(&self, id: &DraftId) -> kepu_domain::create::draft::Draft {
        draft::get(&self.node.web.app, &Actor::Node { name: "operator".into() }, id).await.expect("draft")
    }

    /// The form of a draft as its page prints it.
    pub(super) async fn form(&self, id: &DraftId) -> Typed {
        let draft = self.stored(id).await;
        let mut fields = edit::write(&draft.matter, &draft.correction);
        fields.0.push(("version".into(), draft.version.to_string()));
        Typed(fields)
    }

    pub(super) async fn send(&self, who: &Person, path: &str, typed: &Typed) -> Response<Body> {
        let fields: Vec<(&str, &str)> = typed.0.0.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        submit(&self.site, who, path, &fields).await
    }

    /// Begins a draft by the form.
    pub(super) async fn begin(&self, who: &Person, kind: &str, title: &str) -> DraftId {
        let answer = submit(&self.site, who, "/drafts/new", &[("org", "org-nat"), ("kind", kind), ("title", title), ("anyway", "1")]).await;
        let place = place(&answer);
        assert!(place.ends_with("?done=begun"), "{place}");
        DraftId(place.trim_start_matches("/drafts/").split('?').next().unwrap_or_default().to_owned())
    }

    /// A resource that passes the checks, submitted by the doctor.
    pub(super) async fn submitted(&self, title: &str) -> DraftId {
        let id = self.begin(&self.doctor, "resource", title).await;
        let answer = self.send(&self.doctor, &urls::draft(&id), &complete(self.form(&id).await).with("do", "submit")).await;
        assert_eq!(place(&answer), format!("/drafts/{id}?done=submitted"));
        id
    }

    /// Both reviewers approve.
    pub(super) async fn approved(&self, id: &DraftId) {
        for (who, party) in [(&self.review1, "p-lin"), (&self.review2, "p-meng")] {
            let review = self.assigned(id, party, who).await;
            let answer = submit(&self.site, who, &review, &[("decision", "approve"), ("conflict", "无"), ("comment", "")]).await;
            assert_eq!(place(&answer), "/reviews?done=approved");
        }
    }

    /// Assigns a review; returns the address of the reviewer's task.
    pub(super) async fn assigned(&self, id: &DraftId, party: &str, who: &Person) -> String {
        let answer = submit(&self.site, &self.editor, &format!("/drafts/{id}/assign"), &[("reviewer", party)]).await;
        assert_eq!(place(&answer), format!("/drafts/{id}?done=assigned"));
        let list = text(open(&self.site, who, "/reviews").await).await;
        let at = list.find("href=\"/reviews/").expect("a task") + 6;
        list[at..].split('"').next().unwrap_or_default().to_owned()
    }

    /// Publishes; returns the public address.
    pub(super) async fn published(&self, id: &DraftId) -> String {
        let answer = submit(&self.site, &self.editor, &format!("/drafts/{id}/publish"), &[]).await;
        assert_eq!(place(&answer), format!("/drafts/{id}?done=published"));
        let draft = self.stored(id).await;
        urls::of_kind(draft.matter.kind(), &draft.subject)
    }
}

/// A form under the hands of somebody.
#[derive(Clone)]
pub(super) struct Typed(Fields);

impl Typed {
    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        self.0.0.retain(|(n, _)| n != name);
        self.and(name, value)
    }
    pub(super) fn and(mut self, name: &str, value: &str) -> Self {
        self.0.0.push((name.into(), value.into()));
        self
    }
}

/// What a resource needs to pass the checks.
pub(super) fn complete(form: Typed) -> Typed {
    form.with("text", "每天喝水约1500毫升，少量多次。\n\n不舒服请看医生，孕妇和心肾病人先问医生。")
        .with("fields", "health")
        .with("source_title", "中国居民膳食指南")
        .with("source_publisher", "中国营养学会")
        .with("source_kind", "guideline")
        .with("source_date", "2022")
        .with("source_url", "https://dg.cnsoc.org/")
}

pub(super) fn place(answer: &Response<Body>) -> String {
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    answer.headers()[header::LOCATION].to_str().expect("text").to_owned()
}

#[tokio::test]
async fn a_text_is_written_reviewed_published_corrected_and_withdrawn() {
    let t = team().await;
    let id = t.begin(&t.doctor, "resource", "怎样喝水").await;
    let page = text(open(&t.site, &t.doctor, &urls::draft(&id)).await).await;
    assert!(
        page.contains("href=\"#text\"") && page.contains("href=\"#sources\"") && page.contains("name=\"version\" value=\"1\""),
        "findings lead to their fields"
    );
    // Half a text can be saved; what is missing is said, nothing is refused.
    let answer = t.send(&t.doctor, &urls::draft(&id), &t.form(&id).await.with("text", "每").with("do", "save")).await;
    assert_eq!(place(&answer), format!("/drafts/{id}?done=saved"));
    let answer = t.send(&t.doctor, &urls::draft(&id), &complete(t.form(&id).await).with("do", "submit")).await;
    assert_eq!(place(&answer), format!("/drafts/{id}?done=submitted"));

    let page = text(open(&t.site, &t.editor, &urls::draft(&id)).await).await;
    assert!(page.contains("value=\"p-lin\"") && !page.contains("value=\"p-zhou\""), "candidates without the author");
    assert!(!page.contains(&format!("action=\"/drafts/{id}/publish\"")), "nothing to sign yet");
    let answer = submit(&t.site, &t.editor, &format!("/drafts/{id}/publish"), &[]).await;
    assert_eq!(answer.status(), StatusCode::CONFLICT);
    assert!(text(answer).await.contains("需要 2 位审核人通过，现在有 0 位"));
    t.approved(&id).await;
    let page = text(open(&t.site, &t.editor, &urls::draft(&id)).await).await;
    assert!(page.contains(&format!("action=\"/drafts/{id}/publish\"")));
    let public = t.published(&id).await;
    let page = text(open(&t.site, &t.doctor, &public).await).await;
    assert!(page.contains("怎样喝水") && page.contains("林示例") && page.contains("国家科普示例中心"), "{page}");
    assert!(!page.contains("/withdraw/"), "only editors see the tools");
    let page = text(open(&t.site, &t.editor, &public).await).await;
    assert!(page.contains("action=\"/correct\"") && page.contains("/withdraw/"));

    // The correction is a draft of its own; asking twice leads to the same one.
    let subject = t.stored(&id).await.subject;
    let fix = place(&submit(&t.site, &t.editor, "/correct", &[("id", subject.as_str())]).await);
    assert_eq!(place(&submit(&t.site, &t.editor, "/correct", &[("id", subject.as_str())]).await), fix);
    let fix = DraftId(fix.trim_start_matches("/drafts/").to_owned());
    let changed = t.form(&fix).await.with("text", "每天喝水约1700毫升，少量多次。\n\n不舒服请看医生，孕妇和心肾病人先问医生。").with("do", "submit");
    let answer = t.send(&t.editor, &urls::draft(&fix), &changed).await;
    assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert!(text(answer).await.contains("没有写更正说明"));
    let form = t.form(&fix).await.with("correction", "原来的水量偏少，应为1700毫升。").with("do", "submit");
    assert_eq!(place(&t.send(&t.editor, &urls::draft(&fix), &form).await), format!("/drafts/{fix}?done=submitted"));
    let review = t.assigned(&fix, "p-lin", &t.review1).await;
    let page = text(open(&t.site, &t.review1, &review).await).await;
    assert!(page.contains("1<del>5</del><ins>7</ins>00毫升"), "the reviewer sees what changed");
    assert!(page.contains(">无</textarea>"), "interests are typed once");
    submit(&t.site, &t.review1, &review, &[("decision", "approve"), ("conflict", "无")]).await;
    let review = t.assigned(&fix, "p-meng", &t.review2).await;
    submit(&t.site, &t.review2, &review, &[("decision", "approve"), ("conflict", "无")]).await;
    assert_eq!(t.published(&fix).await, public);
    let page = text(send(&t.site, request(Method::GET, &public, "", "")).await).await;
    assert!(page.contains("notice correction") && page.contains("原来的水量偏少") && page.contains("1700"));

    let withdraw = urls::take_back("withdraw", &subject);
    assert_eq!(open(&t.site, &t.editor, &withdraw).await.status(), StatusCode::OK);
    let answer = submit(&t.site, &t.editor, &withdraw, &[("reason", " ")]).await;
    assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let answer = submit(&t.site, &t.editor, &withdraw, &[("reason", "指南已经更新，正在重写。")]).await;
    assert_eq!(place(&answer), public);
    let answer = send(&t.site, request(Method::GET, &public, "", "")).await;
    assert_eq!(answer.status(), StatusCode::GONE);
    assert!(text(answer).await.contains("指南已经更新，正在重写。"));
}

#[tokio::test]
async fn a_claim_is_answered_by_the_form() {
    let t = team().await;
    let id = t.begin(&t.doctor, "claim", "多吃盐能防辐射").await;
    let form =
        t.form(&id).await.with("verdict", "false").with("plain", "这个说法不准确。").with("why", "盐里的碘太少。\r\n\r\n吃多了伤身。").with("fields", "health");
    let form =
        form.with("source_title", "教材").with("source_kind", "textbook").with("source_date", "2024").with("source_publisher", "").with("source_url", "");
    assert_eq!(place(&t.send(&t.doctor, &urls::draft(&id), &form.clone().with("do", "submit")).await), format!("/drafts/{id}?done=submitted"));
    t.approved(&id).await;
    let public = t.published(&id).await;
    let page = text(send(&t.site, request(Method::GET, &public, "", "")).await).await;
    assert!(page.contains("<p>盐里的碘太少。</p>") && page.contains("<p>吃多了伤身。</p>") && page.contains("不实"));
    // A verdict that only a holding statement may give is not taken.
    let other = t.begin(&t.doctor, "claim", "多喝醋能软化血管").await;
    t.send(&t.doctor, &urls::draft(&other), &t.form(&other).await.with("verdict", "checking").with("plain", "在查").with("do", "save")).await;
    assert!(text(open(&t.site, &t.doctor, &format!("/api/drafts/{other}")).await).await.contains("\"verdict\":\"unproven\""));
}

#[tokio::test]
async fn a_stranger_finds_nothing() {
    let t = team().await;
    let id = t.submitted("怎样喝水").await;
    let review = t.assigned(&id, "p-lin", &t.review1).await;
    for path in [
        format!("/drafts/{id}"),
        format!("/drafts/{id}/drop"),
        format!("/drafts/{id}/media"),
        format!("/api/drafts/{id}"),
        review.clone(),
        format!("/api{review}"),
    ] {
        assert_eq!(open(&t.site, &t.stranger, &path).await.status(), StatusCode::NOT_FOUND, "{path}");
        assert_eq!(send(&t.site, request(Method::GET, &path, "", "")).await.status(), StatusCode::UNAUTHORIZED, "{path}");
    }
    let form = t.form(&id).await;
    assert_eq!(t.send(&t.stranger, &urls::draft(&id), &form).await.status(), StatusCode::NOT_FOUND);
    for (path, fields) in [
        (format!("/drafts/{id}/take-back"), vec![]),
        (format!("/drafts/{id}/drop"), vec![]),
        (format!("/drafts/{id}/assign"), vec![("reviewer", "p-meng")]),
        (format!("/drafts/{id}/publish"), vec![]),
        (review.clone(), vec![("decision", "approve"), ("conflict", "无")]),
        (format!("{review}/decline"), vec![("reason", "忙")]),
    ] {
        assert_eq!(submit(&t.site, &t.stranger, &path, &fields).await.status(), StatusCode::NOT_FOUND, "{path}");
    }
    let list = text(open(&t.site, &t.stranger, "/drafts?of=org").await).await;
    assert!(!list.contains(&id.0), "an editor elsewhere sees drafts of nobody here");
    assert!(text(open(&t.site, &t.editor, "/drafts?of=org").await).await.contains(&id.0));
    // Somebody who may see it but not do it is told so.
    assert_eq!(submit(&t.site, &t.review1, &format!("/drafts/{id}/take-back"), &[]).await.status(), StatusCode::FORBIDDEN);
    assert_eq!(submit(&t.site, &t.doctor, &format!("/drafts/{id}/publish"), &[]).await.status(), StatusCode::FORBIDDEN);
    assert_eq!(submit(&t.site, &t.stranger, &urls::take_back("withdraw", &t.claim), &[("reason", "不喜欢")]).await.status(), StatusCode::FORBIDDEN);
    assert_eq!(submit(&t.site, &t.stranger, "/correct", &[("id", t.claim.as_str())]).await.status(), StatusCode::FORBIDDEN);
    let answer = submit(&t.site, &t.stranger, "/drafts/new", &[("org", "org-nat"), ("kind", "resource"), ("title", "外人的稿件")]).await;
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn reviews_are_refused_with_a_reason_and_nothing_typed_is_lost() {
    let t = team().await;
    let id = t.submitted("怎样喝水").await;
    let own = submit(&t.site, &t.editor, &format!("/drafts/{id}/assign"), &[("reviewer", "p-zhou")]).await;
    assert_eq!(own.status(), StatusCode::FORBIDDEN);
    assert!(text(own).await.contains("不能决定自己的稿件"));
    let review = t.assigned(&id, "p-lin", &t.review1).await;
    let twice = submit(&t.site, &t.editor, &format!("/drafts/{id}/assign"), &[("reviewer", "p-lin")]).await;
    assert_eq!(twice.status(), StatusCode::UNPROCESSABLE_ENTITY);

    let answer = submit(&t.site, &t.review1, &review, &[("decision", "approve"), ("conflict", " "), ("comment", "写得好")]).await;
    assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let page = text(answer).await;
    assert!(page.contains("href=\"#conflict\"") && page.contains("没有也要写“无”") && page.contains(">写得好</textarea>"));
    let answer = submit(&t.site, &t.review1, &review, &[("decision", "return"), ("conflict", "无"), ("comment", "")]).await;
    assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert!(text(answer).await.contains("请写明需要改什么"));
    let long = "长".repeat(1_001);
    let answer = submit(&t.site, &t.review1, &review, &[("decision", "return"), ("conflict", "无"), ("comment", &long)]).await;
    assert!(text(answer).await.contains("最多 1000 个字"));
    assert_eq!(
        submit(&t.site, &t.editor, &review, &[("decision", "approve"), ("conflict", "无")]).await.status(),
        StatusCode::FORBIDDEN,
        "an editor is no reviewer"
    );

    // Taken back while the reviewer reads: the decision comes too late, the remark stays on the page.
    submit(&t.site, &t.doctor, &format!("/drafts/{id}/take-back"), &[]).await;
    let answer = submit(&t.site, &t.review1, &review, &[("decision", "return"), ("conflict", "无"), ("comment", "第二段太长")]).await;
    assert_eq!(answer.status(), StatusCode::CONFLICT);
    assert!(text(answer).await.contains("第二段太长"));
    let list = text(open(&t.site, &t.review1, "/reviews").await).await;
    assert!(list.contains("现在没有等您审的稿件") && list.contains("稿件改过，不用审了"));

    // Given to review again, returned with a remark that stands beside the draft.
    let form = t.form(&id).await.with("do", "submit");
    t.send(&t.doctor, &urls::draft(&id), &form).await;
    let review = t.assigned(&id, "p-meng", &t.review2).await;
    let answer = submit(&t.site, &t.review2, &format!("{review}/decline"), &[("reason", "")]).await;
    assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let answer = submit(&t.site, &t.review2, &review, &[("decision", "return"), ("conflict", "无"), ("comment", "请写明水量的依据")]).await;
    assert_eq!(place(&answer), "/reviews?done=returned");
    let answer = submit(&t.site, &t.review2, &review, &[("decision", "approve"), ("conflict", "无")]).await;
    assert_eq!(answer.status(), StatusCode::CONFLICT, "decided once is decided");
    assert!(text(open(&t.site, &t.doctor, &urls::draft(&id)).await).await.contains("请写明水量的依据"));
}

#[tokio::test]
async fn two_writers_both_keep_their_text() {
    let t = team().await;
    let id = t.begin(&t.doctor, "resource", "怎样喝水").await;
    let both = t.form(&id).await;
    let first = t.send(&t.doctor, &urls::draft(&id), &both.clone().with("text", "医生写的长长一段话。").with("do", "save")).await;
    assert_eq!(first.status(), StatusCode::SEE_OTHER);
    let second = t.send(&t.editor, &urls::draft(&id), &both.clone().with("text", "编辑写的另外一段话。").with("do", "save")).await;
    assert_eq!(second.status(), StatusCode::CONFLICT);
    let page = text(second).await;
    assert!(page.contains("您写的时候，别人也改过") && page.contains("<p class=\"kept\">医生写的长长一段话。</p>"));
    assert!(
        page.contains("编辑写的另外一段话。</textarea>") && page.contains("name=\"version\" value=\"2\""),
        "the form holds what was typed, with the present version"
    );
    // What is the same as stored is no conflict: it was saved by itself while the button was pressed.
    let same = t.send(&t.editor, &urls::draft(&id), &both.clone().with("text", "医生写的长长一段话。").with("do", "save")).await;
    assert_eq!(same.status(), StatusCode::SEE_OTHER);
    let third = t.send(&t.editor, &urls::draft(&id), &both.clone().with("version", "2").with("text", "编辑写的另外一段话。").with("do", "save")).await;
    assert_eq!(third.status(), StatusCode::SEE_OTHER);

    // Submitted in between: it can be taken back and saved in one step.
    let form = complete(t.form(&id).await).with("do", "submit");
    assert_eq!(place(&t.send(&t.doctor, &urls::draft(&id), &form).await), format!("/drafts/{id}?done=submitted"));
    let late = t.send(&t.editor, &urls::draft(&id), &both.clone().with("version", "3").with("text", "来晚了的一段话，也不该丢。").with("do", "save")).await;
    assert_eq!(late.status(), StatusCode::CONFLICT);
    let page = text(late).await;
    assert!(page.contains("来晚了的一段话，也不该丢。</textarea>") && page.contains("value=\"reopen\""));
    let again = t.send(&t.editor, &urls::draft(&id), &both.with("text", "来晚了的一段话，也不该丢。").with("do", "reopen")).await;
    assert_eq!(place(&again), format!("/drafts/{id}?done=saved"));
    assert!(text(open(&t.site, &t.doctor, &urls::draft(&id)).await).await.contains("来晚了的一段话，也不该丢。</textarea>"));
}

#[tokio::test]
async fn what_blocks_or_cannot_be_read_is_said_at_its_field() {
    let t = team().await;
    let id = t.begin(&t.doctor, "resource", "怎样喝水").await;
    let form = complete(t.form(&id).await).with("text", "祖传秘方，加微信购买。").with("do", "submit");
    let answer = t.send(&t.doctor, &urls::draft(&id), &form).await;
    assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let page = text(answer).await;
    assert!(page.contains("href=\"#text\">有广告用语“加微信”") && page.contains("祖传秘方，加微信购买。</textarea>"));
    let wrong = t.form(&id).await.with("date", "昨天").with("county", "云岭县").with("summary", &"长".repeat(301)).with("do", "save");
    let answer = t.send(&t.doctor, &urls::draft(&id), &wrong.clone().with("summary", "短")).await;
    assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let page = text(answer).await;
    assert!(page.contains("href=\"#date\"") && page.contains("href=\"#county\"") && page.contains("value=\"昨天\"") && page.contains("value=\"云岭县\""));
    let answer = t.send(&t.doctor, &urls::draft(&id), &wrong.with("date", "2026-01-01").with("county", "")).await;
    assert!(text(answer).await.contains("“摘要”现在有 301 个字，最多 300 个字"));
    // More sources than a record can hold.
    let mut many = complete(t.form(&id).await).with("do", "save");
    for n in 0..45 {
        many = many
            .and("source_title", &format!("来源{n}"))
            .and("source_kind", "study")
            .and("source_date", "2024")
            .and("source_publisher", "")
            .and("source_url", "");
    }
    assert!(text(t.send(&t.doctor, &urls::draft(&id), &many).await).await.contains("最多 40 项"));
    // A text that would not fit into a record blocks before anybody reviews it.
    let long = complete(t.form(&id).await).with("text", &"水".repeat(8_000)).with("edition-elder", &"水".repeat(4_000)).with("do", "submit");
    let answer = t.send(&t.doctor, &urls::draft(&id), &long).await;
    assert!(text(answer).await.contains("内容太长"));
}

#[tokio::test]
async fn a_form_sent_twice_begins_one_draft() {
    let t = team().await;
    let fields = [("_once", "abcdefgh12345678"), ("org", "org-nat"), ("kind", "resource"), ("title", "只有一份")];
    let (first, second) = tokio::join!(submit(&t.site, &t.doctor, "/drafts/new", &fields), submit(&t.site, &t.doctor, "/drafts/new", &fields));
    assert_eq!(place(&first), place(&second));
    assert_eq!(text(open(&t.site, &t.doctor, "/drafts").await).await.matches("只有一份").count(), 1);
    for (kind, title, word) in [("poem", "一首诗", "请选要写什么"), ("claim", "短", "至少要 4 个字"), ("resource", "", "至少要 1 个字")] {
        let answer = submit(&t.site, &t.doctor, "/drafts/new", &[("org", "org-nat"), ("kind", kind), ("title", title)]).await;
        assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);
        assert!(text(answer).await.contains(word), "{kind}");
    }
}

#[tokio::test]
async fn rows_are_added_and_texts_previewed_without_saving() {
    let t = team().await;
    let id = t.begin(&t.doctor, "resource", "怎样喝水").await;
    let form = complete(t.form(&id).await).with("text", "## 小标题\n**重点**<b>");
    let page = text(t.send(&t.doctor, &urls::draft(&id), &form.clone().with("do", "add-source")).await).await;
    assert!(page.contains("id=\"source_title-2\"") && page.contains("autofocus") && page.contains("value=\"中国居民膳食指南\""));
    let page = text(t.send(&t.doctor, &urls::draft(&id), &form.clone().with("do", "add-translation")).await).await;
    assert!(page.contains("id=\"edition_lang-1\""));
    let page = text(t.send(&t.doctor, &urls::draft(&id), &form.clone().with("do", "preview")).await).await;
    assert!(page.contains("id=\"preview\"") && page.contains("<h3>小标题</h3>") && page.contains("<strong>重点</strong>&lt;b&gt;"), "{page}");
    assert_eq!(t.stored(&id).await.version, 1, "nothing was saved");
    // While somebody types only the part that changes comes back; the form's own sending still works afterwards.
    let form = form.with("do", "auto").with("_once", "abcdefgh11112222");
    let fields: Vec<(String, String)> = form.0.0.clone();
    let body: String = fields.iter().map(|(n, v)| format!("&{n}={}", urls::encode(v))).collect();
    let mut auto = request(Method::POST, &urls::draft(&id), &t.doctor.cookie, &format!("_csrf={}{body}", t.doctor.csrf));
    auto.headers_mut().insert("hx-request", "true".parse().expect("value"));
    let part = text(send(&t.site, auto).await).await;
    assert!(part.starts_with("<div id=\"saved\">") && part.contains("name=\"version\" value=\"2\"") && !part.contains("<html"));
    let answer = t.send(&t.doctor, &urls::draft(&id), &form.with("version", "2").with("do", "save")).await;
    assert_eq!(place(&answer), format!("/drafts/{id}?done=saved"));
}

#[tokio::test]
async fn markup_in_every_field_stays_text_and_rare_names_survive() {
    let t = team().await;
    for kind in ["resource", "claim"] {
        let id = t.begin(&t.doctor, kind, &format!("{RARE}<script>alert(1)</script>")).await;
        let mut form = t.form(&id).await;
        for (name, value) in &mut form.0.0 {
            if ![
                "version",
                "type",
                "lang",
                "licence",
                "province",
                "county",
                "date",
                "expires",
                "checked",
                "next_check",
                "verdict",
                "ai_use",
                "audience",
                "fields",
            ]
            .contains(&name.as_str())
            {
                *value = format!("{RARE}{NASTY}");
            }
        }
        let form = form.with("source_title", NASTY).with("source_publisher", NASTY).with("source_kind", "study").with("source_date", NASTY);
        let form =
            form.with("source_url", "javascript:alert(1)").with("fields", "physics").with("author_name", RARE).with("hazard", NASTY).with("phase", NASTY);
        let form = if kind == "resource" {
            // A line of chalk holds sixty characters.
            form.with("title", &format!("{RARE}<script>alert(1)</script>")).with("edition-chalk", "<script>alert(1)</script>")
        } else {
            form
        };
        let saved = t.send(&t.doctor, &urls::draft(&id), &form.clone().with("do", "save")).await;
        assert_eq!(place(&saved), format!("/drafts/{id}?done=saved"));
        let page = text(open(&t.site, &t.doctor, &urls::draft(&id)).await).await;
        assert_harmless(&page);
        assert!(page.contains(RARE));
        let bad = t.send(&t.doctor, &urls::draft(&id), &t.form(&id).await.with("do", "submit")).await;
        assert_eq!(bad.status(), StatusCode::UNPROCESSABLE_ENTITY, "an address that runs something blocks");
        assert_harmless(&text(bad).await);
        let form = t.form(&id).await.with("source_url", "https://a.example/?\"><script>alert(1)</script>").with("do", "submit");
        assert_eq!(place(&t.send(&t.doctor, &urls::draft(&id), &form).await), format!("/drafts/{id}?done=submitted"));
        let review = t.assigned(&id, "p-gao", &person(&t.node.web, &format!("gao-{kind}"), Some("p-gao"), &[("org-nat", Role::Reviewer)]).await).await;
        for (who, path) in [(&t.editor, urls::draft(&id)), (&t.editor, review.clone()), (&t.editor, "/drafts?of=org".into()), (&t.editor, "/desk".into())] {
            let page = text(open(&t.site, who, &path).await).await;
            assert_harmless(&page);
            assert!(page.contains(RARE) || path == "/desk", "{path}");
        }
        let csv = text(open(&t.site, &t.editor, "/drafts?of=org&format=csv").await).await;
        assert!(csv.starts_with('\u{feff}') && csv.contains(RARE));
    }
}

fn assert_harmless(page: &str) {
    for bad in ["<script>alert", "<img src=x", "onfocus=\"alert", "href=\"javascript:"] {
        assert!(!page.contains(bad), "{bad}: {page}");
    }
}

/// A form with a file as a browser sends it.
fn upload(who: &Person, draft: &str, alt: &str, name: &str, bytes: &[u8]) -> Request<Body> {
    let mut body = Vec::new();
    for (field, value) in [("_csrf", who.csrf.as_str()), ("draft", draft), ("alt", alt)] {
        body.extend(format!("--edge\r\nContent-Disposition: form-data; name=\"{field}\"\r\n\r\n{value}\r\n").into_bytes());
    }
    body.extend(format!("--edge\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\nContent-Type: image/png\r\n\r\n").into_bytes());
    body.extend_from_slice(bytes);
    body.extend_from_slice(b"\r\n--edge--\r\n");
    let request = Request::builder().method(Method::POST).uri("/media").header(header::COOKIE, &who.cookie);
    request.header(header::CONTENT_TYPE, "multipart/form-data; boundary=edge").body(Body::from(body)).expect("request")
}

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89\0\0\0\rIDATx\x9cc\xf8\xcf\xc0\xf0\x1f\0\x05\0\x01\xff\x89\x99=\x1d\0\0\0\0IEND\xaeB`\x82";

#[tokio::test]
async fn files_are_known_by_content_and_described() {
    let t = team().await;
    let id = t.begin(&t.doctor, "resource", "怎样喝水").await;
    assert_eq!(place(&t.send(&t.doctor, &urls::draft(&id), &complete(t.form(&id).await).with("do", "media")).await), format!("/drafts/{id}/media"));
    for (name, bytes, alt, word) in [
        ("a.png", &b"<!doctype html><script>alert(1)</script>"[..], "一页", "不能使用这种文件"),
        ("a.png", b"<svg xmlns=\"http://www.w3.org/2000/svg\"><script>1</script></svg>", "一图", "不能使用这种文件"),
        ("a.exe", b"MZ\x90\0", "程序", "不能使用这种文件"),
        ("a.png", b"", "空的", "请先选一个文件"),
        ("a.png", PNG, "", "至少要 2 个字"),
    ] {
        let answer = send(&t.site, upload(&t.doctor, &id.0, alt, name, bytes)).await;
        assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY, "{word}");
        let page = text(answer).await;
        assert!(page.contains(word) && page.contains(&format!("value=\"{alt}\"")), "{word}");
    }
    assert_eq!(send(&t.site, upload(&t.stranger, &id.0, "偷看", "a.png", PNG)).await.status(), StatusCode::NOT_FOUND);
    // The name says where a careless server would write; it is never used.
    let answer = send(&t.site, upload(&t.doctor, &id.0, "一杯水", "../../../../tmp/kepu-evil.png", PNG)).await;
    assert_eq!(place(&answer), format!("/drafts/{id}/media?done=file"));
    assert!(!std::path::Path::new("/tmp/kepu-evil.png").exists());
    let again = send(&t.site, upload(&t.doctor, &id.0, "一杯清水", "b.png", PNG)).await;
    assert_eq!(again.status(), StatusCode::SEE_OTHER, "the same file twice only gets a new description");
    let form = t.form(&id).await;
    assert_eq!(form.0.every("media_hash").len(), 1);
    let hash = form.0.get("media_hash").to_owned();
    let file = send(&t.site, request(Method::GET, &urls::media(&hash), "", "")).await;
    assert_eq!(file.headers()[header::CONTENT_TYPE], "image/png");
    assert_eq!(file.headers()[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
    for bad in ["/media/..%2f..%2fnode.key", "/media/node.key", "/media/%2e%2e%2fnode.key"] {
        assert_eq!(send(&t.site, request(Method::GET, bad, "", "")).await.status(), StatusCode::NOT_FOUND, "{bad}");
    }
    // Without a description it stays a draft; with one it is shown to readers.
    let blocked = t.send(&t.doctor, &urls::draft(&id), &form.clone().with("media_alt", "").with("do", "submit")).await;
    assert!(text(blocked).await.contains("附件缺少文字说明"));
    assert_eq!(
        place(&t.send(&t.doctor, &urls::draft(&id), &t.form(&id).await.with("media_alt", "一杯清水").with("do", "submit")).await),
        format!("/drafts/{id}?done=submitted")
    );
    t.approved(&id).await;
    let public = t.published(&id).await;
    let page = text(send(&t.site, request(Method::GET, &public, "", "")).await).await;
    assert!(page.contains(&format!("<img src=\"/media/{hash}\" alt=\"一杯清水\"")));
    let answer = send(&t.site, upload(&t.doctor, &id.0, "再加一张", "a.png", PNG)).await;
    assert_eq!(answer.status(), StatusCode::CONFLICT, "what is published gets no files");
}

#[tokio::test]
async fn a_file_of_200_mb_is_refused_before_it_is_read() {
    let t = team().await;
    let id = t.begin(&t.doctor, "resource", "怎样喝水").await;
    let mut huge = upload(&t.doctor, &id.0, "很大的图", "a.png", PNG);
    huge.headers_mut().insert(header::CONTENT_LENGTH, "200000000".parse().expect("value"));
    let answer = send(&t.site, huge).await;
    assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert!(text(answer).await.contains("20 MiB"));
    // Without saying how long it is: read only as far as the limit.
    let mut long = PNG.to_vec();
    long.resize(21 * 1024 * 1024, 0);
    let (parts, body) = upload(&t.doctor, &id.0, "很大的图", "a.png", &long).into_parts();
    let unsized_body = Body::from_stream(body.into_data_stream());
    let answer = send(&t.site, Request::from_parts(parts, unsized_body)).await;
    assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert!(text(answer).await.contains("20 MiB"));
}
