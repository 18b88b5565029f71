//! What a text says beyond its topic: numbers with their units, places, whether it denies, which way things go.
//!
//! "Same template, other fact" is decided here: two texts that share nearly every letter and differ in one of these say different things.
//! Where the differing letters stand is found in `pair`.

use super::reading::{BREAK, IDENTITY, NUMBER, WORD};
use std::collections::HashSet;
use std::sync::LazyLock;

/// Letters and words that turn a statement round.
const DENYING: [&str; 15] = ["不", "没", "无", "未", "非", "勿", "别", "莫", "免", "禁", "停", "防", "拒", "反", "抗"];

/// Words that exclude each other.
const OPPOSITES: [(&str, &str); 44] = [
    ("增", "减"),
    ("升", "降"),
    ("涨", "跌"),
    ("高", "低"),
    ("多", "少"),
    ("大", "小"),
    ("好", "坏"),
    ("早", "晚"),
    ("前", "后"),
    ("上", "下"),
    ("左", "右"),
    ("冷", "热"),
    ("男", "女"),
    ("老", "少"),
    ("先", "后"),
    ("有", "无"),
    ("真", "假"),
    ("快", "慢"),
    ("长", "短"),
    ("开", "关"),
    ("进", "出"),
    ("生", "死"),
    ("强", "弱"),
    ("利", "害"),
    ("胜", "败"),
    ("赢", "输"),
    ("买", "卖"),
    ("酸", "碱"),
    ("干", "湿"),
    ("饭前", "饭后"),
    ("支持", "反对"),
    ("允许", "禁止"),
    ("可以", "不能"),
    ("安全", "危险"),
    ("有益", "有害"),
    ("致癌", "防癌"),
    ("致癌", "抗癌"),
    ("推荐", "警告"),
    ("最早", "最晚"),
    ("首次", "再次"),
    ("东", "西"),
    ("南", "北"),
    ("主", "次"),
    ("内", "外"),
];

/// Places that a message is about: provinces, larger cities, countries, continents.
const PLACES: &str = "北京 天津 上海 重庆 河北 山西 辽宁 吉林 黑龙江 江苏 浙江 安徽 福建 江西 山东 河南 湖北 湖南 广东 海南 四川 贵州 云南 陕西 甘肃 青海 台湾 内蒙古 广西 西藏 宁夏 \
新疆 香港 澳门 石家庄 唐山 保定 太原 大同 沈阳 大连 鞍山 长春 哈尔滨 大庆 南京 苏州 无锡 徐州 常州 南通 扬州 杭州 宁波 温州 绍兴 金华 合肥 芜湖 福州 厦门 泉州 南昌 赣州 九江 \
济南 青岛 烟台 潍坊 临沂 郑州 洛阳 开封 新乡 武汉 宜昌 襄阳 长沙 株洲 湘潭 岳阳 广州 深圳 珠海 佛山 东莞 汕头 惠州 海口 三亚 成都 绵阳 宜宾 贵阳 遵义 昆明 大理 丽江 西安 咸阳 \
宝鸡 兰州 天水 西宁 呼和浩特 包头 南宁 柳州 桂林 拉萨 银川 乌鲁木齐 台北 新北 桃园 台中 台南 高雄 基隆 新竹 苗栗 彰化 南投 云林 嘉义 屏东 宜兰 花莲 台东 澎湖 金门 马祖 \
中国 美国 日本 韩国 朝鲜 英国 法国 德国 意大利 西班牙 俄罗斯 乌克兰 印度 越南 泰国 菲律宾 马来西亚 新加坡 印尼 缅甸 澳洲 澳大利亚 新西兰 加拿大 墨西哥 巴西 阿根廷 智利 埃及 南非 土耳其 伊朗 \
伊拉克 以色列 瑞士 瑞典 挪威 芬兰 丹麦 荷兰 比利时 波兰 希腊 葡萄牙 奥地利 匈牙利 古巴 亚洲 欧洲 非洲 美洲 北美 南美 大陆 纽约 伦敦 巴黎 东京 大阪 首尔 加州";

/// What a text says beyond its topic. Everything in order of the text, without repetition.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Slots {
    /// Numbers, each with the symbol after it (0 if there is none).
    pub numbers: Vec<(u32, u32)>,
    /// Places, as hashes of their letters.
    pub places: Vec<u64>,
}

static PLACE_NAMES: LazyLock<HashSet<u64>> = LazyLock::new(|| PLACES.split_whitespace().map(|name| spell(name.chars().map(|c| c as u32))).collect());

fn spell(symbols: impl Iterator<Item = u32>) -> u64 {
    symbols.fold(17, |state, symbol| (state ^ u64::from(symbol & IDENTITY)).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23))
}

impl Slots {
    /// Reads them off a text.
    pub fn of(symbols: &[u32]) -> Self {
        let mut out = Self::default();
        let mut i = 0;
        while i < symbols.len() {
            let symbol = symbols[i];
            if symbol & (WORD | NUMBER) == WORD | NUMBER {
                let unit = symbols.get(i + 1).filter(|next| *next & BREAK == 0).map_or(0, |next| next & IDENTITY);
                let number = (symbol & IDENTITY, unit);
                if !out.numbers.contains(&number) {
                    out.numbers.push(number);
                }
            } else if symbol & WORD == 0
                && let Some((place, len)) = (2..=4).rev().filter(|len| i + len <= symbols.len()).find_map(|len| {
                    let hash = spell(symbols[i..i + len].iter().copied());
                    PLACE_NAMES.contains(&hash).then_some((hash, len))
                })
            {
                if !out.places.contains(&place) {
                    out.places.push(place);
                }
                i += len;
                continue;
            }
            i += 1;
        }
        out
    }

    /// Numbers that both have, and numbers of this text whose unit the other counts differently and only differently.
    pub fn numbers_against(&self, other: &Self) -> (f32, f32) {
        let mut same = 0.0;
        let mut clash = 0.0;
        for (number, unit) in &self.numbers {
            if other.numbers.iter().any(|(n, _)| n == number) {
                same += 1.0;
            } else if *unit != 0 && other.numbers.iter().any(|(_, u)| u == unit) {
                clash += 1.0;
            }
        }
        (same, clash)
    }

    /// Places that both name, and places that only this text names if the other names some.
    pub fn places_against(&self, other: &Self) -> (f32, f32) {
        let same = self.places.iter().filter(|place| other.places.contains(place)).count();
        let clash = if other.places.is_empty() { 0 } else { self.places.len() - same };
        (same as f32, clash as f32)
    }
}

/// Whether a letter denies.
pub fn denies(symbol: u32) -> bool {
    static LETTERS: LazyLock<Vec<u32>> = LazyLock::new(|| DENYING.iter().filter_map(|w| w.chars().next()).map(|c| c as u32).collect());
    LETTERS.contains(&(symbol & IDENTITY))
}

/// Whether one of two stretches holds a word whose opposite the other holds.
pub fn opposed(a: &[u32], b: &[u32]) -> bool {
    static PAIRS: LazyLock<Vec<(Vec<u32>, Vec<u32>)>> =
        LazyLock::new(|| OPPOSITES.iter().map(|(a, b)| (a.chars().map(|c| c as u32).collect(), b.chars().map(|c| c as u32).collect())).collect());
    let holds = |text: &[u32], word: &[u32]| text.windows(word.len()).any(|w| w.iter().zip(word).all(|(s, c)| s & IDENTITY == *c));
    PAIRS.iter().any(|(x, y)| (holds(a, x) && holds(b, y)) || (holds(a, y) && holds(b, x)))
}
