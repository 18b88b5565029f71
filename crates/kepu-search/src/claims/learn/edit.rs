//! Small edits of a title: some keep what it says, some change it.

use super::dice::Dice;

/// Words that may stand for each other.
const ALIKE: [(&str, &str); 44] = [
    ("可能", "或"),
    ("吃", "食用"),
    ("喝", "饮用"),
    ("致癌", "引发癌症"),
    ("医生", "医师"),
    ("孩子", "儿童"),
    ("老人", "老年人"),
    ("死亡", "身亡"),
    ("发现", "查出"),
    ("每天", "天天"),
    ("不能", "不可以"),
    ("导致", "引起"),
    ("治疗", "医治"),
    ("快速", "迅速"),
    ("如何", "怎么"),
    ("为什么", "为何"),
    ("是否", "是不是"),
    ("什么", "啥"),
    ("马铃薯", "土豆"),
    ("番茄", "西红柿"),
    ("身体", "人体"),
    ("女子", "女士"),
    ("男子", "男士"),
    ("首次", "第一次"),
    ("学生", "同学"),
    ("公司", "企业"),
    ("网友", "网民"),
    ("回应", "答复"),
    ("称", "表示"),
    ("将", "会"),
    ("已", "已经"),
    ("被", "遭"),
    ("和", "与"),
    ("去世", "离世"),
    ("手机", "移动电话"),
    ("地震", "发生地震"),
    ("有哪些", "都有什么"),
    ("真的吗", "是真的吗"),
    ("多少", "几"),
    ("影响", "后果"),
    ("危害", "坏处"),
    ("好处", "益处"),
    ("预防", "防止"),
    ("价格", "售价"),
];
const BEFORE: [&str; 12] =
    ["网传：", "听说", "请问", "真的吗？", "【扩散】", "紧急通知！", "转发：", "群里都在传，", "朋友发的，", "快看！", "刚刚，", "求证 "];
const AFTER: [&str; 12] = [
    "是真的吗",
    "？？",
    "，赶快转给家人",
    "，请扩散",
    "，有人知道吗",
    "，太可怕了",
    "，求辟谣",
    " <url>",
    "，专家这么说",
    "！！！",
    "，不转不是中国人",
    "（图）",
];
const PLACES: [&str; 24] = [
    "北京", "上海", "广州", "深圳", "成都", "重庆", "武汉", "西安", "南京", "杭州", "郑州", "长沙", "河南", "山东", "四川", "湖北", "江苏", "浙江", "广东",
    "福建", "美国", "日本", "韩国", "英国",
];
const OPPOSITE: [(&str, &str); 24] = [
    ("增加", "减少"),
    ("上升", "下降"),
    ("上涨", "下跌"),
    ("提高", "降低"),
    ("有效", "无效"),
    ("安全", "危险"),
    ("支持", "反对"),
    ("男", "女"),
    ("夺冠", "出局"),
    ("成功", "失败"),
    ("早", "晚"),
    ("最大", "最小"),
    ("首次", "再次"),
    ("取消", "恢复"),
    ("开放", "关闭"),
    ("允许", "禁止"),
    ("结婚", "离婚"),
    ("高温", "低温"),
    ("暴雨", "干旱"),
    ("预防", "引发"),
    ("有益", "有害"),
    ("多", "少"),
    ("好", "坏"),
    ("左", "右"),
];
const TURNED: [(&str, &str); 10] = [
    ("不会", "会"),
    ("不能", "能"),
    ("没有", "有"),
    ("会", "不会"),
    ("能", "不能"),
    ("是", "不是"),
    ("有", "没有"),
    ("可以", "不可以"),
    ("不要", "要"),
    ("无需", "需要"),
];

fn replace_one(text: &str, from: &str, to: &str) -> Option<String> {
    text.contains(from).then(|| text.replacen(from, to, 1))
}

/// The same said a little differently.
pub fn reword(title: &str, dice: &mut Dice) -> String {
    let mut text = title.to_owned();
    let mut done = 0;
    let start = dice.below(ALIKE.len());
    for n in 0..ALIKE.len() {
        let (a, b) = ALIKE[(start + n) % ALIKE.len()];
        if done >= 2 {
            break;
        }
        if let Some(other) = replace_one(&text, a, b).or_else(|| replace_one(&text, b, a)) {
            text = other;
            done += 1;
        }
    }
    if dice.below(3) > 0 {
        for little in ["的", "了", "已", "将", "被", "都", "就", "也", "吗", "呢"] {
            if dice.below(2) == 0 && text.contains(little) {
                text = text.replacen(little, "", 1);
                break;
            }
        }
    }
    let parts: Vec<&str> = text.split([' ', '，', ',', '？', '！']).filter(|p| !p.is_empty()).collect();
    if parts.len() > 1 && dice.below(2) == 0 {
        text = parts[1..].iter().chain(&parts[..1]).copied().collect::<Vec<&str>>().join("，");
    } else if done == 0 && dice.below(2) == 0 {
        // Half a sentence more to the front: "甲乙丙丁" → "丙丁，甲乙".
        let chars: Vec<char> = text.chars().collect();
        let cut = chars.len() / 2 + dice.below(3) - 1;
        text = chars[cut..].iter().chain("，".chars().collect::<Vec<char>>().iter()).chain(&chars[..cut]).collect();
    }
    if dice.below(4) == 0 {
        let chars: Vec<char> = text.chars().collect();
        let keep = chars.len() - chars.len() / 5;
        text = chars[..keep].iter().collect();
    }
    if dice.below(2) == 0 {
        text = format!("{}{text}", dice.pick(&BEFORE));
    }
    if dice.below(2) == 0 {
        text = format!("{text}{}", dice.pick(&AFTER));
    }
    text
}

/// The same template with another fact; `None` if nothing can be changed.
pub fn change(title: &str, pool: &[String], dice: &mut Dice) -> Option<String> {
    let order = dice.below(5);
    (0..5).find_map(|n| match (order + n) % 5 {
        0 => number(title, dice),
        1 => PLACES.iter().find_map(|place| replace_one(title, place, other(&PLACES, place, dice))),
        2 => OPPOSITE.iter().find_map(|(a, b)| replace_one(title, a, b).or_else(|| replace_one(title, b, a))),
        3 => TURNED.iter().find_map(|(a, b)| replace_one(title, a, b)),
        _ => thing(title, pool, dice),
    })
}

fn other<'a>(from: &[&'a str], not: &str, dice: &mut Dice) -> &'a str {
    loop {
        let one = dice.pick(from);
        if *one != not {
            return one;
        }
    }
}

fn number(title: &str, dice: &mut Dice) -> Option<String> {
    let chars: Vec<char> = title.chars().collect();
    let start = chars.iter().position(|c| c.is_ascii_digit())?;
    let end = (start..chars.len()).find(|i| !chars[*i].is_ascii_digit()).unwrap_or(chars.len());
    let value: u64 = chars[start..end].iter().collect::<String>().parse().ok()?;
    let other = match dice.below(3) {
        0 => value + 1 + dice.below(4) as u64,
        1 => value * 2 + 1,
        _ => value.checked_sub(1 + dice.below(3) as u64).filter(|v| *v > 0).unwrap_or(value + 3),
    };
    Some(chars[..start].iter().collect::<String>() + &other.to_string() + &chars[end..].iter().collect::<String>())
}

/// Another thing or person in the place of two or three letters: letters of another title, from its front half where its subject stands.
fn thing(title: &str, pool: &[String], dice: &mut Dice) -> Option<String> {
    let chars: Vec<char> = title.chars().collect();
    let length = 2 + dice.below(2);
    let han = |c: &char| ('\u{4e00}'..='\u{9fff}').contains(c) && !"的了吗呢是在不有和与这那什么为我你他她".contains(*c);
    let runs: Vec<usize> = (0..chars.len().checked_sub(length)?).filter(|i| chars[*i..*i + length].iter().all(han)).collect();
    if runs.is_empty() {
        return None;
    }
    let at = *dice.pick(&runs);
    let donor: Vec<char> = dice.pick(pool).chars().collect();
    let from = (0..donor.len().saturating_sub(length)).find(|i| donor[*i..*i + length].iter().all(han))?;
    (donor[from..from + length] != chars[at..at + length]).then(|| chars[..at].iter().chain(&donor[from..from + length]).chain(&chars[at + length..]).collect())
}
