//! What rises and what does not, said in small streams.

use super::*;

fn run(mut signals: Vec<(i64, f32, String)>) -> Vec<Topic> {
    signals.sort_by_key(|s| s.0);
    let mut stream = Stream::new(Settings::default());
    for (n, (time, weight, text)) in signals.iter().enumerate() {
        stream.push(n as u64 + 1, *time, *weight, text, &Reading::of(text));
    }
    stream.topics()
}

/// Chatter of a day: each text once, every 30 seconds.
fn chatter() -> Vec<(i64, f32, String)> {
    const LETTERS: &str = "天地玄黄宇宙洪荒日月盈昃辰宿列张寒来暑往秋收冬藏闰余成岁律吕调阳云腾致雨露结为霜金生丽水玉出昆冈剑号巨阙珠称夜光果珍李柰菜重芥姜海咸河淡鳞潜羽翔龙师火帝鸟官人皇始制文字乃服衣裳推位让国有虞陶唐吊民伐罪周发殷汤坐朝问道垂拱平章";
    let letters: Vec<char> = LETTERS.chars().collect();
    let mut state = 7u64;
    (0..2_880)
        .map(|n| {
            let text = (0..10)
                .map(|_| {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    letters[(state >> 33) as usize % letters.len()]
                })
                .collect();
            (n * 30, 1.0, text)
        })
        .collect()
}

fn at(hour: f64, minutes_apart: f64, texts: &[&str], count: usize) -> Vec<(i64, f32, String)> {
    (0..count).map(|n| ((hour * 3_600.0 + n as f64 * minutes_apart * 60.0) as i64, 1.0, texts[n % texts.len()].to_owned())).collect()
}

#[test]
fn a_burst_alerts_once_and_early() {
    let mut signals = chatter();
    signals.extend(at(10.0, 3.0, &["县城自来水被投毒", "听说县城自来水被投毒了", "自来水被人投毒，县城的不要喝"], 60));
    let topics = run(signals);
    assert_eq!(topics.len(), 1, "{topics:?}");
    let topic = &topics[0];
    assert_eq!((topic.start, topic.number), (36_000, 1));
    assert!(topic.alert <= 36_000 + 4 * 180 && topic.signals.len() >= 55 && topic.label.contains("自来水"), "{topic:?}");
    assert!(topic.start <= topic.peak && topic.peak <= topic.end && topic.end >= 36_000 + 59 * 180);
}

#[test]
fn what_is_said_all_day_does_not_alert() {
    let mut signals = chatter();
    signals.extend(at(0.2, 14.0, &["今天吃什么好呢推荐一下", "推荐一下今天吃什么好呢"], 100));
    assert_eq!(run(signals), []);
}

#[test]
fn one_topic_in_five_wordings_is_one_alert() {
    let mut signals = chatter();
    let wordings = [
        "明天全市停水三天，赶快储水",
        "快储水！明天起全市停水三天",
        "紧急通知：全市停水三天，明天开始",
        "明天全市要停水三天大家储水",
        "【转】全市明天停水三天赶快储水",
    ];
    signals.extend(at(9.0, 2.0, &wordings, 100));
    assert_eq!(run(signals).len(), 1);
}

#[test]
fn two_bursts_about_different_things_are_two_alerts() {
    let mut signals = chatter();
    signals.extend(at(9.0, 3.0, &["化工厂爆炸毒气泄漏快跑", "化工厂爆炸了毒气泄漏"], 40));
    signals.extend(at(13.0, 3.0, &["超市的大米是塑料做的", "塑料做的大米进了超市"], 40));
    assert_eq!(run(signals).len(), 2);
}

#[test]
fn a_slow_rise_is_seen_too() {
    let mut signals = chatter();
    signals.extend(at(8.0, 12.0, &["小学午餐有人拉肚子", "小学的午餐吃了拉肚子"], 30));
    let topics = run(signals);
    assert_eq!(topics.len(), 1);
    assert!(topics[0].alert <= 8 * 3_600 + 10 * 12 * 60, "{topics:?}");
}

#[test]
fn nothing_and_nonsense_alert_nothing() {
    assert_eq!(run(Vec::new()), []);
    assert_eq!(run((0..500).map(|n| (n, 1.0, "😀😀😀".to_owned())).collect()), []);
    let mut late = Stream::new(Settings::default());
    for (n, time) in [5_000, 4_000, -7, i64::MIN / 4].into_iter().enumerate() {
        assert_eq!(late.push(n as u64, time, 1.0, "时间倒流了怎么办", &Reading::of("时间倒流了怎么办")), None);
    }
}

#[test]
fn what_was_over_may_come_back() {
    let mut signals = chatter();
    let week: Vec<_> = (1..4).flat_map(|day| chatter().into_iter().map(move |(t, w, x)| (t + day * 86_400, w, x))).collect();
    signals.extend(week);
    let wordings = ["喝白酒能杀死病毒", "听说喝白酒能杀死病毒"];
    signals.extend(at(10.0, 3.0, &wordings, 40));
    signals.extend(at(80.0, 3.0, &wordings, 40));
    let topics: Vec<Topic> = run(signals).into_iter().filter(|t| t.label.contains("白酒")).collect();
    assert_eq!(topics.len(), 2, "{topics:?}");
    assert!(topics[0].end < topics[1].start);
}

#[test]
fn each_signal_says_which_group_it_went_to() {
    let mut stream = Stream::new(Settings::default());
    let texts = ["县城自来水被投毒", "听说县城自来水被投毒了", "超市的大米是塑料做的"];
    let placed: Vec<Placed> = texts.iter().zip(1..).filter_map(|(text, n)| stream.place(n, n as i64, 1.0, text, &Reading::of(text))).collect();
    assert_eq!((placed[0].group, placed[0].size, placed[1].size, placed[2].size), (placed[1].group, 1, 2, 1));
    assert_ne!(placed[0].group, placed[2].group);
    assert_eq!(stream.members(placed[0].group).collect::<Vec<_>>(), [1, 2]);
    assert!(stream.label(placed[0].group).contains("投毒") && stream.score(1) == 0.0);
    assert_eq!(stream.place(9, 9, 1.0, "😀", &Reading::of("😀")), None);
}
