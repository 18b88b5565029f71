//! The index from outside: what people type and what they find; opening, filling, deleting, reopening.
#![expect(clippy::unwrap_used, reason = "a failing call fails its test")]

use kepu_search::{Doc, Index, LIMIT_MAX, Page, Query, SearchError, Sort};

/// 王 㐀 𠮷 + variation selector 𰀀 𮯰: Ext A, B, G and I and an ideographic variation sequence.
const NAME: &str = "王\u{3400}\u{20BB7}\u{E0100}\u{30000}\u{2EBF0}";

fn doc(id: &str, title: &str, text: &str) -> Doc {
    Doc { id: id.into(), kind: "resource".into(), title: title.into(), text: text.into(), lang: "zh-Hans-CN".into(), ..Doc::default() }
}

fn filled(docs: &[Doc]) -> Index {
    let index = Index::in_ram().unwrap();
    index.put(docs).unwrap();
    index.commit(1).unwrap();
    index
}

fn library() -> Index {
    filled(&[
        doc("r1", "黑洞是怎样形成的", "大质量恒星在生命末期坍缩，引力强到光也逃不出来。"),
        doc("r2", "疫苗安全", "接种新冠疫苗后可能低烧，一般两天内消退。mRNA疫苗不会改变人的DNA。"),
        doc("r3", "台风来了怎么办", "台风登陆前关好门窗，储备饮用水；不要去海边看浪。"),
        doc("r4", "地震避险", "室内就近躲在桌下，护住头部；震后有序撤离，不乘电梯。"),
        doc("r5", "科学家故事", &format!("{NAME}是一位研究员，研究引力波。")),
    ])
}

fn ask(index: &Index, text: &str) -> Page {
    index.search(&Query { text: text.into(), limit: 20, ..Query::default() }).unwrap()
}

fn ids(page: &Page) -> Vec<&str> {
    page.hits.iter().map(|hit| hit.id.as_str()).collect()
}

fn marked(page: &Page) -> Vec<String> {
    page.hits[0].snippet.iter().filter(|span| span.hit).map(|span| span.text.clone()).collect()
}

#[test]
fn two_character_words_are_found() {
    let index = library();
    assert_eq!(ids(&ask(&index, "疫苗")), ["r2"]);
    assert_eq!(ids(&ask(&index, "台风")), ["r3"]);
    assert_eq!(ids(&ask(&index, "什么是黑洞？")), ["r1"]);
    // 洞 and 黑 apart are no 黑洞.
    assert_eq!(ask(&filled(&[doc("a", "", "山洞里很黑")]), "黑洞").total, 0);
}

#[test]
fn traditional_queries_find_simplified_texts_and_the_other_way_round() {
    let index = library();
    assert_eq!(ids(&ask(&index, "颱風")), ["r3"]);
    assert_eq!(ids(&ask(&filled(&[doc("a", "", "這項計畫研究軟體")]), "计划")), ["a"]);
}

#[test]
fn rare_characters_are_found_one_by_one_and_shown_as_written() {
    let index = library();
    for c in ["\u{3400}", "\u{20BB7}", "\u{20BB7}\u{E0100}", "\u{30000}", "\u{2EBF0}"] {
        assert_eq!(ids(&ask(&index, c)), ["r5"], "{c}");
    }
    assert_eq!(marked(&ask(&index, NAME)), [NAME]);
}

#[test]
fn text_from_a_gb18030_file_is_found() {
    let bytes = kepu_text::gb18030::encode_gb18030("龘字与䶮字").unwrap();
    let text = kepu_text::decode::decode_gb18030(&bytes).unwrap().text;
    assert_eq!(ids(&ask(&filled(&[doc("a", "", &text)]), "䶮")), ["a"]);
}

#[test]
fn latin_words_are_whole_and_all_needed_in_short_queries() {
    let index = library();
    assert_eq!(ids(&ask(&index, "ＤＮＡ")), ["r2"]);
    assert_eq!(ids(&ask(&index, "mrna 疫苗")), ["r2"]);
    assert_eq!(ask(&index, "rna").total, 0);
    assert_eq!(ask(&index, "ebola 疫苗").total, 0);
}

#[test]
fn what_sounds_or_looks_the_same_is_offered_when_nothing_else_is_there() {
    let index = library();
    for text in ["heidong", "hei dong", "黑动"] {
        let page = ask(&index, text);
        assert_eq!((ids(&page), page.guessed), (vec!["r1"], true), "{text}");
    }
    let index = filled(&[doc("a", "", "Vaccine safety")]);
    assert_eq!((ids(&ask(&index, "vacine")), ids(&ask(&index, "vaccine"))), (vec!["a"], vec!["a"]));
    assert!(ask(&index, "vacine").guessed && !ask(&index, "vaccine").guessed);
    assert_eq!(ask(&index, "xylophone").total, 0);
}

#[test]
fn a_phrase_stands_as_it_is_or_not_at_all() {
    let index = filled(&[doc("a", "", "光合作用需要光"), doc("b", "", "光合，作用；合作的光合与作用"), doc("c", "", "合作，作用，光合")]);
    assert_eq!(ids(&ask(&index, "“光合作用”")), ["a"]);
    assert_eq!(ask(&index, "\"作用需要\"").total, 1);
    assert_eq!(ask(&index, "「光合呼吸」").total, 0);
}

#[test]
fn a_phrase_is_found_behind_many_that_only_hold_its_pairs() {
    let mut docs: Vec<Doc> = (0..150).map(|i| doc(&format!("p{i:03}"), "光合", &format!("光合，合作，作用。光合，合作，作用{i}"))).collect();
    docs.extend((0..3).map(|i| doc(&format!("z{i}"), "", &format!("很长的一段别的话，说的是第{i}种植物，最后才提到光合作用，以及天气和土壤。"))));
    let index = filled(&docs);
    let page = ask(&index, "“光合作用”");
    assert_eq!((ids(&page), page.total), (vec!["z0", "z1", "z2"], 3));
    let newest = index.search(&Query { sort: Sort::Newest, ..Query { text: "“光合作用”".into(), limit: 9, ..Query::default() } }).unwrap();
    assert_eq!(newest.total, 3);
}

#[test]
fn values_are_counted_among_everything_found() {
    let with =
        |id: &str, field: &str, place: &str| Doc { fields: vec![field.into()], more: vec![("source".into(), place.into())], ..doc(id, "月食", "月食") };
    let index = filled(&[with("a", "astronomy", "x"), with("b", "astronomy", "y"), with("c", "earth", "x"), doc("d", "彩虹", "雨后")]);
    let query = Query { text: "月食".into(), facets: vec!["field".into(), "source".into(), "none".into()], limit: 1, ..Query::default() };
    let page = index.search(&query).unwrap();
    let named = |values: &[(&str, usize)]| values.iter().map(|(value, count)| ((*value).to_owned(), *count)).collect::<Vec<_>>();
    assert_eq!(page.facets[0], ("field".to_owned(), named(&[("astronomy", 2), ("earth", 1)])));
    assert_eq!(page.facets[1], ("source".to_owned(), named(&[("x", 2), ("y", 1)])));
    assert_eq!((page.facets[2].1.len(), page.hits.len(), page.total), (0, 1, 3));
    let narrowed = index.search(&Query { more: vec![("source".into(), "y".into())], ..query.clone() }).unwrap();
    assert_eq!((ids(&narrowed), narrowed.facets[0].1[0].1), (vec!["b"], 1));
    let all = index.search(&Query { text: String::new(), ..query }).unwrap();
    assert_eq!(all.facets[0].1[0], ("astronomy".to_owned(), 2));
}

#[test]
fn the_sentence_that_answers_is_quoted_and_nothing_where_nothing_fits() {
    let mut docs: Vec<Doc> = (0..40).map(|i| doc(&format!("x{i:02}"), "观测记录", &format!("第{i}次观测在夜间进行，天气晴朗。记录员写下了星等。"))).collect();
    docs.push(doc("a", "哈雷彗星", "哈雷彗星约每76年回归一次。它在1986年最近一次经过太阳附近。彗尾由尘埃和气体组成。"));
    let index = filled(&docs);
    let page = ask(&index, "哈雷彗星多少年回归一次？");
    let answer = page.answer.unwrap();
    assert_eq!((answer.id.as_str(), answer.quote.as_str()), ("a", "哈雷彗星约每76年回归一次。"));
    assert!(page.hits[0].passage.contains("1986年") && page.hits[0].why.title == ["哈雷彗星"], "{:?}", page.hits[0]);
    assert_eq!(ask(&index, "怎样申请退税以及需要带哪些证件材料").answer, None);
}

#[test]
fn everyday_words_find_technical_texts_and_say_so() {
    let index = filled(&[doc("a", "急性腹泻的处理", "腹泻时要补液。"), doc("b", "种花", "花要浇水。")]);
    let page = index.search(&Query { text: "娃娃老是拉肚子该怎么办".into(), at_least: 5, limit: 5, ..Query::default() }).unwrap();
    assert_eq!(page.hits[0].id, "a");
    assert!(page.hits[0].why.everyday.contains(&("拉肚子".to_owned(), "腹泻".to_owned())), "{:?}", page.hits[0].why);
}

#[test]
fn a_long_question_ranks_its_answer_first() {
    let page = ask(&library(), "台风马上就要登陆了，我家住在海边，现在应该准备些什么？");
    assert_eq!(ids(&page)[0], "r3");
}

#[test]
fn a_title_outweighs_a_mention() {
    let index = filled(&[doc("a", "火山", "关于火山的知识"), doc("b", "旅行", "火山火山很好看"), doc("c", "海洋", "深海")]);
    assert_eq!(ids(&ask(&index, "火山")), ["a", "b"]);
}

#[test]
fn equal_scores_are_ordered_by_id_across_commits_and_pages() {
    let index = Index::in_ram().unwrap();
    for id in ["d", "b", "e", "a", "c"] {
        index.put(&[doc(id, "月食", "月食")]).unwrap();
        index.commit(1).unwrap();
    }
    let page = |offset, limit| index.search(&Query { text: "月食".into(), offset, limit, ..Query::default() }).unwrap();
    assert_eq!(ids(&page(0, 3)), ["a", "b", "c"]);
    assert_eq!(ids(&page(3, 3)), ["d", "e"]);
    assert_eq!((page(3, 3).total, page(9, 3).hits.len(), page(0, 0).total), (5, 0, 5));
    assert_eq!(page(usize::MAX, usize::MAX).hits.len(), 0);
}

#[test]
fn an_empty_query_lists_the_newest() {
    let dated = |id: &str, date_ms, seq| Doc { date_ms, seq, ..doc(id, "新闻", "新闻") };
    let index = filled(&[dated("old", 1, 9), dated("b", 5, 2), dated("a", 5, 1), dated("before 1970", -3, 0)]);
    assert_eq!(ids(&ask(&index, " \n ")), ["b", "a", "old", "before 1970"]);
    let newest = index.search(&Query { text: "新闻".into(), limit: 2, sort: Sort::Newest, ..Query::default() }).unwrap();
    assert_eq!((ids(&newest), newest.total), (vec!["b", "a"], 4));
}

#[test]
fn filters_narrow_and_add_nothing_to_the_score() {
    let base = doc("a", "用药", "老人用药");
    let index = filled(&[
        Doc { region: "520102".into(), fields: vec!["health".into(), "life".into()], audience: vec!["elder".into()], ..base.clone() },
        Doc { id: "b".into(), kind: "claim".into(), region: "510000".into(), fields: vec!["life".into()], lang: "bo".into(), ..base.clone() },
        Doc { id: "c".into(), ..base },
    ]);
    let with = |query: Query| {
        let found: Vec<String> = ["用药", ""]
            .map(|text| {
                let mut found = index.search(&Query { text: text.into(), limit: 9, ..query.clone() }).unwrap().hits;
                found.sort_by(|a, b| a.id.cmp(&b.id));
                found.into_iter().map(|hit| hit.id).collect::<String>()
            })
            .to_vec();
        assert_eq!(found[0], found[1]);
        found[0].clone()
    };
    assert_eq!(with(Query::default()), "abc");
    assert_eq!(with(Query { kinds: vec!["claim".into(), "case".into()], ..Query::default() }), "b");
    assert_eq!(with(Query { field: Some("life".into()), ..Query::default() }), "ab");
    assert_eq!(with(Query { audience: Some("elder".into()), ..Query::default() }), "a");
    assert_eq!(with(Query { lang: Some("zh".into()), ..Query::default() }), "ac");
    assert_eq!(with(Query { lang: Some("zh-Hant".into()), ..Query::default() }), "");
    // What belongs to no region concerns every region.
    assert_eq!(with(Query { region_chain: vec!["520102".into(), "520100".into(), "520000".into()], ..Query::default() }), "ac");
    let scores = |kinds: Vec<String>| index.search(&Query { text: "用药".into(), kinds, limit: 1, ..Query::default() }).unwrap().hits[0].score;
    assert_eq!(scores(Vec::new()), scores(vec!["resource".into()]));
}

#[test]
fn deleted_and_replaced_documents_are_gone() {
    let index = library();
    index.delete(&["r2".into(), "unknown".into()]).unwrap();
    index.put(&[doc("r3", "洪水", "洪水来了往高处走")]).unwrap();
    assert_eq!(ask(&index, "疫苗").total, 1, "before the commit nothing changes");
    index.commit(2).unwrap();
    assert_eq!((ask(&index, "疫苗").total, ask(&index, "台风").total, index.count()), (0, 0, 4));
    assert_eq!(ids(&ask(&index, "洪水")), ["r3"]);
}

#[test]
fn the_last_of_one_id_in_one_batch_counts() {
    let index = filled(&[doc("a", "", "彩虹"), doc("a", "", "极光")]);
    assert_eq!((index.count(), ask(&index, "极光").total, ask(&index, "彩虹").total), (1, 1, 0));
}

#[test]
fn reopening_keeps_documents_and_cursor() {
    let dir = tempfile::tempdir().unwrap();
    {
        let index = Index::open(dir.path()).unwrap();
        assert!(index.was_reset() && index.cursor().is_none());
        index.put(&[doc("a", "彩虹", "雨后")]).unwrap();
        index.commit(41).unwrap();
        index.put(&[doc("b", "极光", "夜空")]).unwrap();
    }
    let index = Index::open(dir.path()).unwrap();
    assert!(!index.was_reset());
    assert_eq!((index.cursor(), index.count()), (Some(41), 1), "what was not committed is not there");
    index.commit(42).unwrap();
    assert_eq!(index.cursor(), Some(42));
    index.clear().unwrap();
    assert_eq!((index.cursor(), index.count(), ask(&index, "彩虹").total), (None, 0, 0));
}

#[test]
fn another_version_or_damage_starts_over_and_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let fill = || {
        let index = Index::open(dir.path()).unwrap();
        index.put(&[doc("a", "彩虹", "雨后")]).unwrap();
        index.commit(7).unwrap();
        index.was_reset()
    };
    assert!(fill());
    assert!(!fill());
    std::fs::write(dir.path().join("kepu-search.stamp"), "another version").unwrap();
    assert!(fill());
    std::fs::write(dir.path().join("meta.json"), "{").unwrap();
    assert!(fill());
    std::fs::remove_file(dir.path().join("meta.json")).unwrap();
    assert!(fill());
    let segment = std::fs::read_dir(dir.path()).unwrap().flatten().find(|file| file.path().extension().is_some_and(|e| e == "term")).unwrap();
    std::fs::remove_file(segment.path()).unwrap();
    assert!(fill());
    assert!(!fill());
}

#[test]
fn a_directory_with_other_files_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("photo.jpg"), "x").unwrap();
    assert!(matches!(Index::open(dir.path()), Err(SearchError::NotOurs { .. })));
    assert!(dir.path().join("photo.jpg").exists());
}

#[test]
fn a_second_writer_is_told_that_the_index_is_busy_and_can_still_read() {
    let dir = tempfile::tempdir().unwrap();
    let first = Index::open(dir.path()).unwrap();
    first.put(&[doc("a", "彩虹", "雨后")]).unwrap();
    first.commit(1).unwrap();
    let second = Index::open(dir.path()).unwrap();
    assert_eq!(ask(&second, "彩虹").total, 1);
    assert!(matches!(second.put(&[doc("b", "", "")]), Err(SearchError::Busy)));
}

#[test]
fn hostile_queries_never_fail() {
    let index = library();
    let queries = [
        "天气".repeat(5_000),
        "\"(((title:疫苗 AND -台风)*~5^[a TO b]\\".into(),
        "' OR 1=1 --".into(),
        "\0\u{7}\u{202E}疫苗\u{FFFE}".into(),
        "a".repeat(10_000),
        "\u{300}".repeat(10_000),
        "👩‍🔬".repeat(3_000),
        "？！…—".into(),
        (0..10_000).filter_map(|i| char::from_u32(0x4E00 + i)).collect(),
    ];
    for text in queries {
        let page = ask(&index, &text);
        assert_eq!(page.truncated, text.chars().count() > 1_600, "{}", &text.chars().take(9).collect::<String>());
        index.similar(&text, &[], 0.0, 5).unwrap();
    }
    assert_eq!(ids(&ask(&index, "\0\u{202E}疫苗\u{200B}")), ["r2"]);
    assert_eq!(ask(&index, "？！").total, 0, "marks alone are no question, and no listing either");
    let all = Query { limit: LIMIT_MAX + 1, kinds: vec!["\"'(".into(), String::new()], lang: Some(String::new()), ..Query::default() };
    assert_eq!(index.search(&all).unwrap().total, 0);
}

#[test]
fn a_long_query_is_cut_and_says_so() {
    let index = library();
    assert!(ask(&index, &format!("{}疫苗", "天".repeat(200))).truncated);
    assert!(!ask(&index, &NAME.repeat(40)).truncated, "200 user characters of many bytes are not too long");
}

#[test]
fn snippets_mark_what_was_asked() {
    let page = ask(&library(), "新冠疫苗");
    assert_eq!(marked(&page), ["新冠疫苗", "疫苗"]);
    let whole: String = page.hits[0].snippet.iter().map(|span| span.text.as_str()).collect();
    assert_eq!(whole, "接种新冠疫苗后可能低烧，一般两天内消退。mRNA疫苗不会改变人的DNA。");
}

#[test]
fn five_thousand_documents() {
    let docs: Vec<Doc> =
        (0..5_000).map(|i| Doc { seq: i, ..doc(&format!("d{i:04}"), &format!("第{i}号观察"), if i % 10 == 0 { "流星雨" } else { "晴夜" }) }).collect();
    let index = Index::in_ram().unwrap();
    for part in docs.chunks(1_000) {
        index.put(part).unwrap();
        index.commit(part[part.len() - 1].seq).unwrap();
    }
    assert_eq!((index.count(), index.cursor()), (5_000, Some(4_999)));
    let page = ask(&index, "流星雨");
    assert_eq!((page.total, page.hits.len()), (500, 20));
    assert!(page.hits.is_sorted_by(|a, b| (b.score, &a.id) <= (a.score, &b.id)));
    assert_eq!(ids(&ask(&index, "第4321号"))[0], "d4321");
}

#[test]
fn known_claims_are_recognised_in_other_words() {
    let claim = |id: &str, title: &str, text: &str| Doc { kind: "claim".into(), ..doc(id, title, text) };
    let index = filled(&[
        claim("c1", "微波炉加热的食物会致癌", "用微波炉热饭得癌症\n微波炉有辐射，吃了会致癌"),
        claim("c2", "隔夜菜里全是亚硝酸盐，会致癌", "剩菜放一晚上就有毒"),
        claim("c3", "5G基站会传播病毒", "5g信号让人生病"),
        doc("r1", "微波炉的原理", "微波炉用微波加热食物"),
    ]);
    let near = |text: &str| index.similar(text, &["claim".into()], 0.0, 2).unwrap();
    assert_eq!(near("用微波炉热饭得癌症")[0].id, "c1");
    assert!((near("用微波炉热饭得癌症")[0].score - 1.0).abs() < 1e-5, "a known wording is the claim itself");
    let hits = near("聽說用微波爐加熱食物會致癌，是真的嗎？");
    assert_eq!(hits[0].id, "c1");
    assert!(hits[0].score > 0.5 && hits.iter().all(|hit| (0.0..=1.0).contains(&hit.score)) && hits[1].score < 0.2, "{hits:?}");
    let message = format!("转发给家人！{}隔夜菜里全是亚硝酸盐，会致癌。{}", "今天天气很好我们去公园散步。".repeat(5), "愿大家平安健康每一天。".repeat(5));
    assert_eq!(near(&message)[0].id, "c2");
    assert!(near("明天会下雨吗").iter().all(|hit| hit.score < 0.2));
    assert!(near("").is_empty() && near("？").is_empty());
    assert!(index.similar("微波炉", &[], 0.0, 0).unwrap().is_empty());
}
