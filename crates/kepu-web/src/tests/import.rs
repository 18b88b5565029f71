//! Taking files in through the pages: encodings, broken files, bad rows, what becomes public and what a draft, twice the same,
//! stopping and going on.

use super::{Node, Person, open, person, place, seeded, send, submit, text};
use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response, StatusCode, header};
use kepu_app::{App, job};
use kepu_domain::access::Role;
use kepu_domain::create::import::{Import, Stage};
use kepu_domain::ids::ImportId;
use kepu_store::create::{draft, import};
use kepu_store::subject::{self, Filter};

struct House {
    node: Node,
    site: Router,
    editor: Person,
}

async fn house() -> House {
    let (node, site, _) = seeded().await;
    let editor = person(&node.web, "bianji1", None, &[("org-nat", Role::Editor)]).await;
    House { node, site, editor }
}

const EDGE: &str = "----kepu-test";

fn multipart(who: &Person, kind: &str, name: &str, bytes: &[u8], once: &str) -> Request<Body> {
    let mut body = Vec::new();
    for (field, value) in [("_csrf", who.csrf.as_str()), ("_once", once), ("kind", kind)] {
        body.extend(format!("--{EDGE}\r\ncontent-disposition: form-data; name=\"{field}\"\r\n\r\n{value}\r\n").bytes());
    }
    body.extend(format!("--{EDGE}\r\ncontent-disposition: form-data; name=\"file\"; filename=\"{name}\"\r\ncontent-type: text/csv\r\n\r\n").bytes());
    body.extend(bytes);
    body.extend(format!("\r\n--{EDGE}--\r\n").bytes());
    Request::post("/import")
        .header(header::COOKIE, &who.cookie)
        .header(header::CONTENT_TYPE, format!("multipart/form-data; boundary={EDGE}"))
        .body(Body::from(body))
        .expect("request")
}

impl House {
    fn app(&self) -> &App {
        &self.node.web.app
    }
    async fn bring(&self, kind: &str, name: &str, bytes: &[u8]) -> Response<Body> {
        send(&self.site, multipart(&self.editor, kind, name, bytes, "")).await
    }
    /// Brings a file that can be read; its page.
    async fn brought(&self, kind: &str, bytes: &[u8]) -> String {
        let answer = self.bring(kind, "表.csv", bytes).await;
        let status = answer.status();
        assert_eq!(status, StatusCode::SEE_OTHER, "{}", text(answer).await);
        place(&answer)
    }
    async fn see(&self, page: &str) -> String {
        text(open(&self.site, &self.editor, page).await).await
    }
    async fn import(&self, page: &str) -> Import {
        let id = ImportId::from(page.trim_start_matches("/import/"));
        let mut tx = self.app().db.read().await.expect("tx");
        import::get(&mut tx, &id).await.expect("import")
    }
    /// The form of the plan as the page prints it, with `step` pressed.
    async fn press(&self, page: &str, step: &str) -> Response<Body> {
        let import = self.import(page).await;
        let mut fields = vec![("step".to_owned(), step.to_owned()), ("version".into(), import.version.to_string()), ("org".into(), import.org.0.clone())];
        fields.push(("signed_by".into(), import.plan.signed_by.clone()));
        fields.extend(import.plan.columns.iter().map(|(target, column)| (format!("column.{target}"), column.clone())));
        fields.extend(import.plan.fixed.iter().map(|(target, value)| (format!("fixed.{target}"), value.clone())));
        let fields: Vec<(&str, &str)> = fields.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        submit(&self.site, &self.editor, page, &fields).await
    }
    /// Starts a file and lets its job run to the end.
    async fn taken_in(&self, page: &str) -> Import {
        let answer = self.press(page, "start").await;
        assert_eq!(answer.status(), StatusCode::SEE_OTHER, "{}", text(answer).await);
        assert!(job::run_one(self.app()).await.expect("job"));
        let import = self.import(page).await;
        assert!(matches!(import.stage, Stage::Done { .. }), "{import:?}");
        import
    }
    async fn resources(&self) -> i64 {
        let mut tx = self.app().db.read().await.expect("tx");
        subject::count(&mut tx, &Filter { kind: Some("resource".into()), ..Filter::default() }).await.expect("count")
    }
    async fn drafts(&self) -> i64 {
        let mut tx = self.app().db.read().await.expect("tx");
        draft::count(&mut tx, &draft::Filter::default()).await.expect("count")
    }
}

fn table(rows: usize, bad: impl Fn(usize) -> bool) -> String {
    let mut out = String::from("标题,正文,来源,许可,领域\n");
    for n in 0..rows {
        let licence = if bad(n) { "版权所有，禁止转载" } else { "CC-BY-4.0" };
        out.push_str(&format!("水的第{n}个小实验,\"把一杯水放在窗台上，第{n}天量一次水面的高度，记下来。\",示例科普馆,{licence},physics\n"));
    }
    out
}

#[tokio::test]
async fn a_county_office_table_in_gb18030_becomes_resources() {
    let house = house().await;
    let rare = "标题,正文,来源,许可\n王\u{20BB7}\u{E0100}的水实验,把一杯水放在窗台上，每天量一次水面的高度。,㐀\u{30000}科普馆,CC0-1.0\n";
    let bytes = kepu_text::gb18030::encode_gb18030(rare).expect("gb");
    let page = house.brought("resource", &bytes).await;
    let html = house.see(&page).await;
    assert!(html.contains("GB 18030") && html.contains("王\u{20BB7}\u{E0100}的水实验") && html.contains("试了全部 1 行：公开 1 条"), "{html}");
    assert!(html.contains("<option value=\"标题\" selected>标题</option>"), "columns are guessed");
    let before = house.resources().await;
    house.taken_in(&page).await;
    assert_eq!(house.resources().await, before + 1);
    let report = house.see(&page).await;
    assert!(report.contains("已完成") && report.contains("看公开的"), "{report}");
    let mut tx = house.app().db.read().await.expect("tx");
    let filter = Filter { kind: Some("resource".into()), ..Filter::default() };
    let list = subject::list(&mut tx, &filter, subject::Order::Newest, None, 500).await.expect("list");
    assert!(list.iter().any(|row| row.title == "王\u{20BB7}\u{E0100}的水实验"));
}

#[tokio::test]
async fn three_rows_in_a_hundred_are_bad_and_the_others_enter() {
    let house = house().await;
    let before = house.resources().await;
    let mut csv = table(300, |n| n % 33 == 5);
    // A row with a cell too many, in the middle.
    csv = csv.replacen("水的第100个小实验,", "水的第100个小实验,多出来的一格,", 1);
    let page = house.brought("resource", csv.as_bytes()).await;
    let html = house.see(&page).await;
    assert!(html.contains("不收 10 条") && html.contains("看不收的原因"), "the dry run says so before anything happens: {html}");
    assert_eq!(house.resources().await, before);
    let import = house.taken_in(&page).await;
    let c = import.counts;
    assert_eq!((c.rows, c.done, c.published, c.drafts, c.known, c.refused), (300, 300, 290, 0, 0, 10));
    assert_eq!(house.resources().await, before + 290);
    let report = house.see(&page).await;
    assert!(report.contains("有 6 格，表头有 5 格") && report.contains("不在可以转载的许可之中"), "{report}");
    let list = open(&house.site, &house.editor, &format!("{page}/refused.csv")).await;
    assert!(list.headers()[header::CONTENT_DISPOSITION].to_str().expect("text").contains("attachment"));
    let csv = text(list).await;
    assert_eq!(csv.lines().count(), 11);
    assert!(csv.contains("\r\n7,许可") && csv.contains("\r\n102,"), "lines of the file are named: {csv}");

    // The same file again: nothing enters twice.
    let again = house.brought("resource", table(300, |n| n % 33 == 5).as_bytes()).await;
    let c = house.taken_in(&again).await.counts;
    assert_eq!((c.published, c.known, c.refused), (1, 290, 9), "only the mended row is new");
    assert_eq!(house.resources().await, before + 291);
}

#[tokio::test]
async fn files_that_cannot_be_read_say_where_and_leave_nothing() {
    let house = house().await;
    let mut broken = table(20, |_| false).into_bytes();
    let at = broken.len() - 10;
    broken[at] = 0xFF;
    let mut cut = "标题,正文\n好的一行,这里的正文足够长足够长。\n".as_bytes().to_vec();
    cut.extend_from_slice(&"这一行断在字".as_bytes()[..16]);
    for (bytes, says) in [
        (broken.as_slice(), "不是完好的 UTF-8：第 21 行有坏字节"),
        (cut.as_slice(), "第 3 行有坏字节"),
        (b"PK\x03\x04rest".as_slice(), "Excel"),
        (b"  \n".as_slice(), "文件是空的"),
        (b"".as_slice(), "请先选一个文件"),
        (b"a,b,a\n1,2,3\n".as_slice(), "有两列都叫"),
        (b"[{\"title\":\"x\"".as_slice(), "不是完整的 JSON"),
    ] {
        let answer = house.bring("resource", "坏.csv", bytes).await;
        assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY, "{says}");
        let page = text(answer).await;
        assert!(page.contains(says) && page.contains("role=\"alert\""), "{says}: {page}");
    }
    assert!(house.see("/import").await.contains("这里会列出导入过的文件"));
    assert!(kepu_app::blob::list_before(house.app(), std::time::SystemTime::now()).expect("list").is_empty(), "no bytes were kept");
}

#[tokio::test]
async fn what_needs_named_reviewers_becomes_a_draft() {
    let house = house().await;
    let csv = "title,text,subject,licence\n\
        流感季怎么洗手,用流动的水和肥皂搓手二十秒以上，生病请就医。,health,CC-BY-4.0\n\
        怎样看懂天气图,等压线越密的地方，风通常越大。,climate,\n\
        没有正文的一行,,climate,CC-BY-4.0\n";
    let page = house.brought("resource", csv.as_bytes()).await;
    let html = house.see(&page).await;
    assert!(html.contains("公开 1 条、草稿 1 条、不收 1 条") && html.contains("没有“正文”"), "{html}");
    let (resources, drafts) = (house.resources().await, house.drafts().await);
    let c = house.taken_in(&page).await.counts;
    assert_eq!((c.published, c.drafts, c.refused, c.licence_filled), (1, 1, 1, 1));
    assert_eq!((house.resources().await, house.drafts().await), (resources + 1, drafts + 1));

    // A verdict in a file is no verdict of the house: each claim becomes a draft, whatever the file says about reviewers.
    let claims = "claim,label,evidence,reviewer,why\n\
        隔夜的白开水会致癌,REFUTES,某某指南,张三,隔夜水里的亚硝酸盐远低于限值。\n\
        绿豆汤能解百毒,说不清,,,\n";
    let page = house.brought("claim", claims.as_bytes()).await;
    let html = house.see(&page).await;
    assert!(html.contains("草稿 2 条") && html.contains("不认识结论“说不清”"), "{html}");
    let c = house.taken_in(&page).await.counts;
    assert_eq!((c.published, c.drafts), (0, 2));
    let mut tx = house.app().db.read().await.expect("tx");
    let list = draft::list(&mut tx, &draft::Filter::default(), None, 9).await.expect("drafts");
    let claim = list.iter().find(|d| d.draft.matter.title() == "隔夜的白开水会致癌").expect("draft");
    let kepu_domain::create::draft::Matter::Claim(review) = &claim.draft.matter else { panic!("a claim") };
    assert_eq!((review.verdict.as_str(), review.reviews.len(), review.evidence.len()), ("false", 0, 1));
    assert!(claim.draft.owner.is_some(), "it belongs to whoever brought the file");
}

#[tokio::test]
async fn a_wrong_plan_is_refused_beside_what_was_chosen() {
    let house = house().await;
    let page = house.brought("resource", "名,文\n一个很好的标题,正文足够长，正文足够长。\n".as_bytes()).await;
    let html = house.see(&page).await;
    assert!(html.contains("没有“题目”") && !html.contains("value=\"start\""), "nothing fills the title: {html}");
    let version = house.import(&page).await.version.to_string();
    let send_plan = async |fields: &[(&str, &str)]| {
        let mut all = vec![("version", version.as_str()), ("org", "org-nat"), ("signed_by", "魏示例")];
        all.extend(fields);
        submit(&house.site, &house.editor, &page, &all).await
    };
    let answer = send_plan(&[("step", "start"), ("column.text", "文"), ("fixed.licence", "CC-BY-4.0")]).await;
    assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let html = text(answer).await;
    assert!(html.contains("请选哪一列是“题目”") && html.contains("<option value=\"文\" selected>"), "{html}");
    let answer = send_plan(&[("step", "preview"), ("column.title", "不在文件里"), ("column.text", "文")]).await;
    assert!(text(answer).await.contains("文件里没有“不在文件里”这一列"));
    let answer = submit(
        &house.site,
        &house.editor,
        &page,
        &[("step", "preview"), ("version", &version), ("org", "org-nat"), ("column.title", "名"), ("column.text", "文")],
    )
    .await;
    assert!(text(answer).await.contains("请写签发人的姓名"));
    let answer = send_plan(&[("step", "preview"), ("column.title", "名"), ("column.text", "文"), ("fixed.fields", "alchemy")]).await;
    assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let answer = send_plan(&[("step", "preview"), ("column.title", "名"), ("column.text", "文"), ("fixed.licence", "CC0-1.0"), ("fixed.fields", "math")]).await;
    assert_eq!((answer.status(), place(&answer)), (StatusCode::SEE_OTHER, page.clone()));
    assert!(house.see(&page).await.contains("公开 1 条"));
    // Somebody else changed the plan meanwhile; an organisation where one has no say.
    assert_eq!(send_plan(&[("step", "start"), ("column.title", "名"), ("column.text", "文")]).await.status(), StatusCode::CONFLICT);
    let version = house.import(&page).await.version.to_string();
    let fields = [("step", "start"), ("version", version.as_str()), ("org", "420000"), ("signed_by", "x"), ("column.title", "名"), ("column.text", "文")];
    assert_eq!(submit(&house.site, &house.editor, &page, &fields).await.status(), StatusCode::FORBIDDEN);
    let answer = house.press(&page, "discard").await;
    assert_eq!(place(&answer), "/import");
    assert_eq!(open(&house.site, &house.editor, &page).await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn strangers_learn_nothing_of_a_file() {
    let house = house().await;
    let page = house.brought("resource", table(3, |_| false).as_bytes()).await;
    let far = person(&house.node.web, "far", None, &[("420000", Role::Editor)]).await;
    let writer = person(&house.node.web, "writer", None, &[("org-nat", Role::Contributor)]).await;
    assert_eq!(open(&house.site, &far, &page).await.status(), StatusCode::NOT_FOUND);
    assert_eq!(open(&house.site, &far, &format!("{page}/refused.csv")).await.status(), StatusCode::NOT_FOUND);
    assert!(!text(open(&house.site, &far, "/import").await).await.contains("表.csv"));
    assert!(!text(open(&house.site, &far, "/api/imports").await).await.contains("表.csv"));
    assert!(text(open(&house.site, &house.editor, "/api/imports").await).await.contains("\"stage\":\"planned\""));
    for step in ["start", "stop", "go-on", "discard", "preview"] {
        assert_eq!(submit(&house.site, &far, &page, &[("step", step), ("version", "1"), ("org", "420000")]).await.status(), StatusCode::NOT_FOUND, "{step}");
    }
    assert_eq!(open(&house.site, &writer, "/import").await.status(), StatusCode::FORBIDDEN);
    assert_eq!(send(&house.site, multipart(&writer, "resource", "x.csv", b"a\n1\n", "")).await.status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_file_that_is_too_large_is_refused_before_it_is_read_and_a_session_that_ended_is_said() {
    let house = house().await;
    let mut large = multipart(&house.editor, "resource", "x.csv", b"a\n1\n", "");
    large.headers_mut().insert(header::CONTENT_LENGTH, "200000000".parse().expect("value"));
    let answer = send(&house.site, large).await;
    assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert!(text(answer).await.contains("20 MiB"));
    let mut ended = multipart(&house.editor, "resource", "x.csv", table(3, |_| false).as_bytes(), "");
    ended.headers_mut().remove(header::COOKIE);
    assert_eq!(send(&house.site, ended).await.status(), StatusCode::UNAUTHORIZED);
    let mut foreign = multipart(&house.editor, "resource", "x.csv", table(3, |_| false).as_bytes(), "");
    foreign.headers_mut().insert("sec-fetch-site", "cross-site".parse().expect("value"));
    assert_eq!(send(&house.site, foreign).await.status(), StatusCode::FORBIDDEN);
    assert!(house.see("/import").await.contains("这里会列出导入过的文件"));
}

#[tokio::test]
async fn what_a_file_says_is_shown_and_never_run() {
    let house = house().await;
    let nasty = "title,text,licence\n<script>alert(1)</script>,<img src=x onerror=alert(1)> 足够长的正文,<b>许可</b>\n";
    let answer = house.bring("resource", "<script>alert(2)</script>.csv", nasty.as_bytes()).await;
    let page = place(&answer);
    let html = house.see(&page).await;
    assert!(!html.contains("<script>alert") && !html.contains("<img src=x") && !html.contains("<b>许可"), "{html}");
    assert!(html.contains("&lt;b&gt;许可") || html.contains("&#60;b&#62;许可"), "{html}");
}

#[tokio::test]
async fn files_and_starts_sent_twice_count_once() {
    let house = house().await;
    let bytes = table(5, |_| false);
    let send_it = || send(&house.site, multipart(&house.editor, "resource", "表.csv", bytes.as_bytes(), "abcdefgh12345678"));
    let (first, second) = (send_it().await, send_it().await);
    let page = place(&first);
    assert_eq!(page, place(&second));
    assert_eq!(house.press(&page, "start").await.status(), StatusCode::SEE_OTHER);
    assert_eq!(house.press(&page, "start").await.status(), StatusCode::CONFLICT, "it was started already");
    assert!(job::run_one(house.app()).await.expect("job") && !job::run_one(house.app()).await.expect("none"));
    assert_eq!(house.import(&page).await.counts.published, 5);
}

#[tokio::test]
async fn a_stopped_file_goes_on_where_it_was() {
    let house = house().await;
    let before = house.resources().await;
    let page = house.brought("resource", table(50, |_| false).as_bytes()).await;
    house.press(&page, "start").await;
    assert!(house.see(&page).await.contains("排队中"));
    assert_eq!(house.press(&page, "stop").await.status(), StatusCode::SEE_OTHER);
    let html = house.see(&page).await;
    assert!(html.contains("已停下") && html.contains("接着做"), "{html}");
    assert!(!job::run_one(house.app()).await.expect("none"));
    assert_eq!(house.press(&page, "go-on").await.status(), StatusCode::SEE_OTHER);
    assert!(job::run_one(house.app()).await.expect("job"));
    assert_eq!(house.import(&page).await.counts.published, 50);
    assert_eq!(house.resources().await, before + 50);
    assert_eq!(house.press(&page, "go-on").await.status(), StatusCode::CONFLICT, "it is done");
}

#[tokio::test]
async fn whoever_lost_the_role_takes_nothing_in() {
    let house = house().await;
    let page = house.brought("resource", table(5, |_| false).as_bytes()).await;
    house.press(&page, "start").await;
    let app = house.app();
    let mut tx = app.db.write().await.expect("tx");
    let account = kepu_store::account::find_by_login(&mut tx, "bianji1").await.expect("found").expect("account").account.id;
    let membership = kepu_domain::access::Membership { org: "org-nat".into(), role: Role::Editor };
    kepu_store::member::delete(&mut tx, &account, &membership).await.expect("taken away");
    tx.commit().await.expect("commit");
    assert!(job::run_one(app).await.expect("job"));
    let import = house.import(&page).await;
    assert_eq!(import.counts.done, 0);
    let mut tx = app.db.read().await.expect("tx");
    let jobs = kepu_store::job::list(&mut tx, None, None, 1).await.expect("jobs");
    assert_eq!(jobs[0].state, kepu_store::job::State::Failed, "no second attempt: {:?}", jobs[0]);
    assert!(jobs[0].last_error.contains("Import"), "{}", jobs[0].last_error);
}

#[tokio::test]
async fn columns_named_as_the_fields_of_a_type_fill_them_and_what_exists_is_named_before_anybody_writes() {
    let house = house().await;
    let house = House { site: crate::router(house.node.indexed().await), ..house };
    let head = "标题,正文,来源,许可,领域,类型,安全等级,材料,步骤,edition_elder";
    let row = "家里怎样省电的小实验,\"先看一天电表，再记下每样电器的用时。\",示例科普馆,CC-BY-4.0,physics,实验,需大人看护,\"电表\n纸笔\",\"看电表\n记下来\",先看电表，再记时间。";
    let wrong = "第二个小实验,\"把一杯水放在窗台上，每天量一次。\",示例科普馆,CC-BY-4.0,physics,实验,很安全,水,量水,";
    let page = house.brought("resource", format!("{head}\n{row}\n{wrong}\n").as_bytes()).await;
    let html = house.see(&page).await;
    assert!(html.contains("近似的公开内容") && html.contains("家里怎样省电</a>"), "{html}");
    assert!(html.contains("公开 1 条") && html.contains("很安全"), "{html}");
    house.taken_in(&page).await;
    let mut tx = house.app().db.read().await.expect("tx");
    let filter = Filter { kind: Some("resource".into()), type_: Some("experiment".into()), ..Filter::default() };
    let list = subject::list(&mut tx, &filter, subject::Order::Newest, None, 50).await.expect("list");
    let row = list.iter().find(|row| row.title == "家里怎样省电的小实验").expect("taken in").clone();
    drop(tx);
    let Some(kepu_domain::create::draft::Matter::Resource(r)) = kepu_app::create::publish::public_matter(house.app(), &row).await.expect("matter") else {
        panic!("a resource")
    };
    assert_eq!((r.details["safety"].as_str(), r.details["materials"].as_str()), (Some("b"), Some("电表\n纸笔")));
    assert_eq!(r.editions["elder"], "先看电表，再记时间。");
}
