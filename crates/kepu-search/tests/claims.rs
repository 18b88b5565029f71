//! The claims matcher from outside: what is the same, what only looks like it, what comes and goes, and what bad input does.

use kepu_search::claims::{Band, Found, Matcher, Sums};
use proptest::prelude::*;
use std::time::Instant;

const CLAIMS: [(&str, &str); 12] = [
    ("c01", "网传「隔夜菜会致癌」，是谣言。隔夜菜的亚硝酸盐含量远低于标准，冷藏后充分加热可以吃。"),
    ("c02", "喝柠檬水可以改变体质、治疗癌症？假的。人体酸碱度是恒定的，没有任何食物能改变。"),
    ("c03", "7月1日起北京地铁票价上涨到10元，系谣言。"),
    ("c04", "微波炉加热食物会产生致癌物，这个说法没有科学根据。"),
    ("c05", "打疫苗会导致不孕不育？专家：没有证据。"),
    ("c06", "5G基站辐射危害健康，不实。基站的功率密度远低于国家标准。"),
    ("c07", "吃大蒜可以预防新冠病毒？没有这回事。"),
    ("c08", "成都明天将发生7级地震，谣言。地震目前无法预报。"),
    ("c09", "用手机充电时打电话会被电死，不实。"),
    ("c10", "每天吃一个鸡蛋会引起胆固醇升高，研究没有发现。"),
    ("c11", "塑料大米流入市场？假的，塑料做大米成本更高。"),
    ("c12", "自来水里的氯会致癌？合格自来水可以放心饮用。"),
];

fn matcher() -> Matcher {
    Matcher::new(CLAIMS.iter().map(|(id, text)| ((*id).to_owned(), (*text).to_owned())).collect(), 2)
}

fn find(matcher: &Matcher, text: &str) -> Found {
    matcher.find(text, 5, &mut Sums::default())
}

fn first(matcher: &Matcher, text: &str) -> String {
    find(matcher, text).hits.first().map(|hit| hit.claim.clone()).unwrap_or_default()
}

#[test]
fn a_post_finds_its_claim_in_either_script_and_through_noise() {
    let matcher = matcher();
    for (post, claim) in [
        ("隔夜菜会致癌吗？", "c01"),
        ("【緊急】隔 夜 菜 會 致 癌！！😱😱 <url> 趕快轉給家人", "c01"),
        ("聽說喝檸檬水可以治療癌症", "c02"),
        ("微\u{200B}波\u{200B}炉加热食物致癌", "c04"),
        ("打疫苗不孕不育", "c05"),
        ("手機充電的時候打電話會被電死", "c09"),
    ] {
        assert_eq!(first(&matcher, post), claim, "{post}");
    }
}

#[test]
fn confidence_is_a_chance_and_nothing_is_none() {
    let matcher = matcher();
    for text in ["", " \n", "😀😀😀😀😀😀", "<url>", "！！！？？？", "國足今晚八點對陣日本隊", "\u{0}\u{FFFF}"] {
        let found = find(&matcher, text);
        assert!(found.band == Band::None && (0.0..0.5).contains(&found.confidence), "{text}: {found:?}");
    }
    let found = find(&matcher, "隔夜菜会致癌");
    assert!(found.hits.windows(2).all(|w| w[0].score >= w[1].score) && found.hits.iter().all(|h| (0.0..=1.0).contains(&h.score)));
    assert!(found.confidence + 1e-6 >= found.hits[0].score);
    assert!(find(&Matcher::new(Vec::new(), 1), "隔夜菜会致癌").hits.is_empty());
}

#[test]
fn a_ledger_of_three_claims_is_as_sure_as_a_large_one() {
    let some = |ids: &[&str]| Matcher::new(CLAIMS.iter().filter(|(id, _)| ids.contains(id)).map(|(id, text)| ((*id).into(), (*text).into())).collect(), 1);
    let matcher = some(&["c01", "c07", "c08"]);
    for (post, claim) in [
        ("隔夜菜会致癌吗？", "c01"),
        ("聽說吃大蒜可以預防新冠病毒，是真的嗎？", "c07"),
        ("群里都在传成都明天要发生7级地震，大家知道吗", "c08"),
        ("请问隔夜的菜吃了会不会致癌，家里老人总说没事", "c01"),
    ] {
        let found = find(&matcher, post);
        assert!(found.hits[0].claim == claim && found.confidence > 0.6, "{post}: {found:?}");
    }
    for post in ["大家知道明天会下雨吗", "听说吃饭太快对身体不好，是真的吗？", "成都有什么好吃的", "大蒜怎么种才能高产", "請問這個消息是真的嗎，謝謝大家"]
    {
        let found = find(&matcher, post);
        assert!(found.confidence < 0.4 && found.band != Band::Answer, "{post}: {found:?}");
    }
}

#[test]
fn every_claim_of_a_long_message_is_found() {
    let matcher = matcher();
    let chatter = "今天天气不错，我们一起去公园散步，看到很多花开了，孩子们玩得很开心，晚上回家做了饭。".repeat(6);
    let message = format!(
        "{chatter}\n听说隔夜菜会致癌，大家千万别吃。\n{chatter}\n还有，微波炉加热食物会产生致癌物！\n{chatter}\n5G基站辐射危害健康，快转发。\n{chatter}"
    );
    let hits: Vec<String> = find(&matcher, &message).hits.into_iter().map(|hit| hit.claim).collect();
    for claim in ["c01", "c04", "c06"] {
        assert!(hits.iter().any(|hit| hit == claim), "{claim} not in {hits:?}");
    }
}

#[test]
fn a_paste_of_any_size_and_a_flood_of_one_text_are_answered_quickly() {
    let matcher = matcher();
    let mut sums = Sums::default();
    let begun = Instant::now();
    let paste = "隔夜菜会致癌，".repeat(5_000);
    assert_eq!(matcher.find(&paste, 5, &mut sums).hits[0].claim, "c01");
    let _ = matcher.find(&"啊".repeat(40_000), 5, &mut sums);
    let _ = matcher.find(&"a b ".repeat(30_000), 5, &mut sums);
    let first = matcher.find("隔夜菜会致癌吗", 5, &mut sums);
    for _ in 0..2_000 {
        assert_eq!(matcher.find("隔夜菜会致癌吗", 5, &mut sums), first);
    }
    assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
}

#[test]
fn a_copy_has_the_answer_of_the_first_until_the_claims_change() {
    let mut matcher = matcher();
    let mut sums = Sums::default();
    let asked = "听说喝醋能软化血管，是真的吗";
    let first = matcher.find(asked, 5, &mut sums);
    assert_eq!(matcher.find("聽說 喝醋能軟化血管，是真的嗎", 5, &mut sums), first, "the same in other letters");
    assert_eq!(matcher.find(asked, 1, &mut sums).hits.len(), 1, "of another number of hits");
    matcher.put("new", "喝醋能软化血管？假的，醋进了胃就和胃酸一样。");
    assert_eq!(matcher.find(asked, 5, &mut sums).hits[0].claim, "new");
    matcher.remove("new");
    assert!(matcher.find(asked, 5, &mut sums).hits.iter().all(|hit| hit.claim != "new"));
    // Memory that two matchers share never answers for the other.
    let other = Matcher::new(vec![("o".into(), "喝醋能软化血管".into())], 1);
    assert_eq!(other.find(asked, 5, &mut sums).hits[0].claim, "o");
}

#[test]
fn claims_come_and_go_and_are_found_at_once() {
    let mut matcher = matcher();
    assert_ne!(first(&matcher, "喝醋能软化血管"), "new");
    let begun = Instant::now();
    matcher.put("new", "喝醋能软化血管？假的，醋进了胃就和胃酸一样。");
    assert_eq!(first(&matcher, "喝醋能软化血管"), "new");
    assert!(begun.elapsed().as_millis() < 100, "{:?}", begun.elapsed());
    matcher.put("new", "冬天穿秋裤会降低抗寒能力？没有根据。");
    assert_eq!(first(&matcher, "穿秋裤会降低抗寒能力"), "new");
    assert!(find(&matcher, "喝醋能软化血管").hits.iter().all(|hit| hit.claim != "new" || hit.score < 0.5));
    assert!(matcher.remove("new") && !matcher.remove("new") && !matcher.remove("never"));
    assert!(find(&matcher, "穿秋裤会降低抗寒能力").hits.iter().all(|hit| hit.claim != "new"));
    assert!(matcher.remove("c01"));
    matcher.settle();
    assert_eq!(matcher.len(), 11);
    assert!(find(&matcher, "隔夜菜会致癌吗").hits.iter().all(|hit| hit.claim != "c01"));
}

#[test]
fn the_last_of_two_claims_with_one_id_counts() {
    let claims = vec![("a".into(), "隔夜菜会致癌".into()), ("b".into(), "打疫苗会导致不孕".into()), ("a".into(), "塑料大米流入市场".into())];
    let matcher = Matcher::new(claims, 1);
    assert_eq!(matcher.len(), 2);
    assert_eq!(first(&matcher, "塑料大米流入市场"), "a");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn the_order_of_claims_and_the_number_of_threads_change_nothing(seed in any::<u64>(), threads in 1usize..4) {
        let mut claims: Vec<(String, String)> = CLAIMS.iter().map(|(id, text)| ((*id).to_owned(), (*text).to_owned())).collect();
        let before = Matcher::new(claims.clone(), 1);
        let mut state = seed | 1;
        for n in (1..claims.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            claims.swap(n, (state >> 33) as usize % (n + 1));
        }
        let after = Matcher::new(claims, threads);
        for text in ["隔夜菜会致癌吗", "听说喝柠檬水治疗癌症", "致癌", "北京地铁票价上涨到20元"] {
            prop_assert_eq!(find(&before, text), find(&after, text));
        }
    }

    #[test]
    fn any_text_is_read(text in ".{0,200}") {
        let found = find(&matcher(), &text);
        prop_assert!((0.0..=1.0).contains(&found.confidence));
    }
}

/// Learns anew and judges posts that the trees had not seen; floors a little below what was measured.
#[cfg(feature = "learn")]
#[test]
fn the_matcher_is_as_good_as_it_was_on_posts_not_seen() {
    use kepu_search::claims::learn::cross::{Lesson, mixed, usual};
    use kepu_search::claims::learn::measure::{Outcome, auc, recall_at};
    let data = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/claims");
    if !data.join("dev_posts.jsonl.gz").exists() {
        eprintln!("skipped: no shared claims data in {}", data.display());
        return;
    }
    let (order, judge) = usual();
    let learned = Lesson::read(&data, 2).learn(order, judge);
    let of = |tracks: &[&str]| learned.outcomes.iter().filter(|o| tracks.contains(&o.track)).collect::<Vec<&Outcome>>();
    let sure = |outcomes: &[&Outcome]| outcomes.iter().map(|o| o.confidence()).collect::<Vec<f32>>();
    let dev = of(&["message", "headline"]);
    assert!(recall_at(&dev, 1) > 0.56 && recall_at(&dev, 5) > 0.80, "{} {}", recall_at(&dev, 1), recall_at(&dev, 5));
    let none = auc(&sure(&dev), &sure(&of(&["none_zhihu", "none_weibo"])));
    assert!(none > 0.90, "{none}");
    let few = mixed(&learned.outcomes);
    let yes: Vec<&Outcome> = few.iter().copied().filter(|o| o.matchable).collect();
    let changed = auc(&sure(&yes), &sure(&of(&["changed"])));
    assert!(changed > 0.87, "{changed}");
}
