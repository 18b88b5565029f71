//! Simplified text in the traditional characters and words of Taiwan or Hong Kong, for readers. Folding for search, which knows no
//! region and is never shown, is in [`mod@crate::fold`]. Conversion is OpenCC's (`s2twp`, `s2hk`): phrases first, then characters; where no phrase decides,
//! a character that has several forms may get the wrong one (干 in 头发干了 becomes 幹).

use ferrous_opencc::OpenCC;
use ferrous_opencc::config::BuiltinConfig;
use std::sync::LazyLock;

/// Whose characters and words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Script {
    /// Taiwan: characters and usual words (软件 becomes 軟體).
    Taiwan,
    /// Hong Kong: characters.
    HongKong,
}

impl Script {
    /// By the region of a language tag or address: `tw`, `hk`.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "tw" => Some(Self::Taiwan),
            "hk" => Some(Self::HongKong),
            _ => None,
        }
    }

    /// BCP 47 tag of the converted text.
    pub fn tag(self) -> &'static str {
        match self {
            Self::Taiwan => "zh-Hant-TW",
            Self::HongKong => "zh-Hant-HK",
        }
    }

    /// The text in this script. Characters outside Han stay, so HTML with plain attributes may go through.
    ///
    /// ```
    /// use kepu_text::script::Script;
    /// assert_eq!(Script::Taiwan.convert("鼠标里面的软件，头发"), "滑鼠裡面的軟體，頭髮");
    /// assert_eq!(Script::HongKong.convert("头发里"), "頭髮裏");
    /// ```
    pub fn convert(self, text: &str) -> String {
        static TAIWAN: LazyLock<OpenCC> = LazyLock::new(|| OpenCC::from_config(BuiltinConfig::S2twp).expect("the s2t tables are compiled into ferrous-opencc"));
        static HONG_KONG: LazyLock<OpenCC> =
            LazyLock::new(|| OpenCC::from_config(BuiltinConfig::S2hk).expect("the s2t tables are compiled into ferrous-opencc"));
        match self {
            Self::Taiwan => TAIWAN.convert(text),
            Self::HongKong => HONG_KONG.convert(text),
        }
    }
}
