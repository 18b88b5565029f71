//! Pages as they come out: what they hold, what is refused, and that texts stay texts.

use crate::fonts::{self, Face, Fonts};
use crate::{Block, CertificateSheet, Footer, Item, Lang, Paper, PrintError, Sheet, certificate, sheet, sheets};
use jiff::civil::date;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Whether this machine has what a test needs; says so where it has not.
fn has(what: &str, there: bool) -> bool {
    if !there {
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "CI=true and {what} missing");
        eprintln!("skipped: {what} missing, ./kepu test installs it");
    }
    there
}
fn has_chinese() -> bool {
    has("fonts-noto-cjk", fonts::system().runs("科普", Face::Text).is_ok())
}
fn has_rare() -> bool {
    has_chinese() && has("fonts-hanazono or fonts-babelstone-han", fonts::system().runs("\u{2B743}\u{30000}", Face::Title).is_ok())
}
fn has_poppler() -> bool {
    has("poppler-utils", Command::new("pdftotext").arg("-v").output().is_ok())
}

fn example() -> CertificateSheet {
    CertificateSheet {
        lang: Lang::Zh,
        title: "科普志愿服务证明".into(),
        number: "GS-2026-000117".into(),
        holder: "李晓雯".into(),
        lines: vec!["于2026年1月至10月参加固始县科普志愿服务，经活动举办方逐项确认，累计如下。".into(), "特发此证。".into()],
        items: vec![
            Item { kind: "科普讲座".into(), count: 12, unit: "场".into(), hours: Some(18.0) },
            Item { kind: "应急科普短视频脚本".into(), count: 3, unit: "篇".into(), hours: Some(7.5) },
            Item { kind: "科技馆周末讲解".into(), count: 21, unit: "次".into(), hours: Some(63.25) },
        ],
        issuer: "固始县科学技术协会".into(),
        date: date(2026, 11, 25),
        verify: "https://kepu.gushi.example/verify".into(),
        key_digits: "646667230730648486675885".into(),
        sample: true,
    }
}

/// The text of a PDF without blanks: the hair of space between Chinese and Latin letters comes out as one.
fn text_of(pdf: &[u8]) -> String {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("x.pdf");
    std::fs::write(&path, pdf).expect("written");
    let output = Command::new("pdftotext").arg("-layout").arg(&path).arg("-").output().expect("pdftotext runs");
    assert!(output.status.success());
    bare(&String::from_utf8(output.stdout).expect("UTF-8"))
}
fn bare(text: &str) -> String {
    text.split_whitespace().collect()
}

/// Keeps a page where somebody wants to look at it: `KEPU_PRINT_KEEP=FOLDER cargo test -p kepu-print`.
fn keep(name: &str, pdf: &[u8]) {
    if let Some(folder) = std::env::var_os("KEPU_PRINT_KEEP") {
        std::fs::write(PathBuf::from(folder).join(name), pdf).expect("kept");
    }
}

#[test]
fn a_certificate_says_what_it_was_given() {
    if !has_chinese() {
        return;
    }
    let pdf = certificate(&example()).expect("printed");
    keep("zh.pdf", &pdf);
    assert!(pdf.starts_with(b"%PDF-") && pdf.len() < 120_000, "{} bytes", pdf.len());
    if has_poppler() {
        let text = text_of(&pdf);
        for word in [
            "李晓雯",
            "GS-2026-000117",
            "科普志愿服务证明",
            "固始县科学技术协会",
            "2026年11月25日",
            "63.25",
            "646667230730648486675885",
            "https://kepu.gushi.example/verify",
        ] {
            assert!(text.contains(word), "{word} is not in {text}");
        }
    }
}

#[test]
fn an_english_certificate_and_a_long_one_without_hours() {
    if !has_chinese() {
        return;
    }
    let english = CertificateSheet {
        lang: Lang::En,
        title: "Certificate of Volunteer Service".into(),
        holder: "Alexandra Konstantinopolskaya-Featherstonehaugh".into(),
        lines: vec!["took part in the following activities, each confirmed by its host.".into()],
        issuer: "Gushi County Association for Science and Technology".into(),
        sample: false,
        ..example()
    };
    let pdf = certificate(&english).expect("printed");
    keep("en.pdf", &pdf);
    let items = (0..90).map(|n| Item { kind: format!("第{n}项活动"), count: n, unit: "次".into(), hours: None }).collect();
    let long = certificate(&CertificateSheet { items, ..example() }).expect("printed");
    keep("long.pdf", &long);
    if has_poppler() {
        assert!(text_of(&pdf).contains("25November2026") && !text_of(&pdf).contains("SAMPLE"));
        let text = text_of(&long);
        assert!(text.contains("第89项活动") && !text.contains("时长"));
        assert!(text.matches("GS-2026-000117").count() > 1, "every page carries the number");
    }
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    if !has_chinese() {
        return;
    }
    assert_eq!(certificate(&example()).expect("printed"), certificate(&example()).expect("printed"));
    let other = CertificateSheet { number: "GS-2026-000118".into(), ..example() };
    assert_ne!(certificate(&example()).expect("printed"), certificate(&other).expect("printed"));
}

#[test]
fn names_in_rare_characters_keep_every_glyph_and_their_form() {
    if !has_rare() {
        return;
    }
    // Extensions A to G and a form of 葛 that a variation selector asks for.
    let holder = "王\u{3400}\u{20001}\u{2A703}\u{2B743}\u{2B823}\u{2CEB1}\u{30000} 葛\u{E0100}";
    let pdf = certificate(&CertificateSheet { holder: holder.into(), ..example() }).expect("printed");
    keep("rare.pdf", &pdf);
    if has_poppler() {
        let text = text_of(&pdf);
        for c in holder.chars().filter(|c| *c != ' ' && *c != '\u{E0100}') {
            assert!(text.contains(c), "U+{:04X} is not in {text}", u32::from(c));
        }
    }
    let with = |holder: &str| certificate(&CertificateSheet { holder: holder.into(), ..example() }).expect("printed");
    assert_ne!(with("葛\u{E0100}"), with("葛\u{E0101}"), "two forms of one character are two pictures");
}

#[test]
fn a_character_without_glyph_is_refused_with_the_way_out() {
    if !has_chinese() {
        return;
    }
    // Extension I: no font of Debian 12 has it. The last one is a form that nobody registered.
    let refused = certificate(&CertificateSheet { holder: "王\u{2EBF0}一\u{E01EF}".into(), ..example() }).expect_err("no glyph");
    let PrintError::Glyphs { chars, fonts_tried, install } = &refused else { panic!("{refused}") };
    assert_eq!(chars.iter().map(|m| (m.text.as_str(), m.field.as_str())).collect::<Vec<_>>(), [("\u{2EBF0}", "holder"), ("一\u{E01EF}", "holder")]);
    assert!(fonts_tried.iter().any(|family| family == "Noto Serif CJK SC"), "{fonts_tried:?}");
    assert!(install.contains("KEPU_FONTS"), "{install}");
    assert!(refused.to_string().contains("U+2EBF0 (holder)"), "{refused}");
}

#[test]
fn without_fonts_the_packages_are_named() {
    let folder = tempfile::tempdir().expect("folder");
    let none = Fonts::of_folders(&[folder.path()]);
    let refused = crate::certificate::print(&CertificateSheet { holder: "\u{20BB7}\u{30000}".into(), ..example() }, &none).expect_err("no fonts");
    let PrintError::Glyphs { chars, install, .. } = &refused else { panic!("{refused}") };
    assert_eq!(chars.len(), crate::Missing::LISTED_MAX);
    assert_eq!(install, "Install: apt-get install -y fonts-babelstone-han fonts-hanazono fonts-noto-cjk");
}

#[test]
fn only_the_fonts_of_ones_own_folder_are_asked_when_they_are_all_there_is() {
    let cjk = Path::new("/usr/share/fonts/opentype/noto/NotoSerifCJK-Regular.ttc");
    if !has("fonts-noto-cjk", cjk.exists()) {
        return;
    }
    let folder = tempfile::tempdir().expect("folder");
    std::fs::copy(cjk, folder.path().join("a.ttc")).expect("copied");
    let own = Fonts::of_folders(&[folder.path()]);
    let runs = own.runs("科普 Kepu 葛", Face::Text).expect("shown");
    assert_eq!(runs.len(), 1, "{runs:?}");
    assert_eq!(runs[0].family, "Noto Serif CJK SC");
    assert_eq!(own.runs("好\u{2B743}好\u{0F40}", Face::Text), Err(vec!["\u{2B743}".to_owned(), "\u{0F40}".to_owned()]));
    assert!(own.runs("一\u{E01EF}", Face::Text).is_err(), "the plain form would be another name");
}

#[test]
fn texts_never_become_markup_or_reach_a_file() {
    if !has_chinese() {
        return;
    }
    let attempts = [
        "#read(\"/etc/passwd\")",
        "#import \"@preview/x:1.0.0\"",
        "$ x^2 $ *粗* _斜_ `码`",
        "= 标题 <label> @ref // 注释",
        "#sys.inputs #eval(\"1+1\") \\u{41}",
        "]#panic()[ \" + \"",
    ];
    for attempt in attempts {
        let sheet = CertificateSheet { holder: attempt.into(), lines: vec![attempt.into()], issuer: attempt.into(), number: attempt.into(), ..example() };
        let pdf = certificate(&sheet).expect(attempt);
        if has_poppler() {
            let text = text_of(&pdf);
            assert!(!text.contains("root:x:"), "{text}");
            assert!(text.matches(&bare(attempt)).count() >= 4, "{attempt} is not in {text}");
        }
    }
}

#[test]
fn what_does_not_fit_is_named() {
    let cases: [(&str, CertificateSheet); 9] = [
        ("title", CertificateSheet { title: "长".repeat(41), ..example() }),
        ("holder", CertificateSheet { holder: " ".into(), ..example() }),
        ("holder", CertificateSheet { holder: "李\u{202E}雯".into(), ..example() }),
        ("lines", CertificateSheet { lines: vec!["行".into(); 9], ..example() }),
        ("lines[0]", CertificateSheet { lines: vec!["一\n二".into()], ..example() }),
        ("items[0].hours", CertificateSheet { items: vec![Item { kind: "课".into(), count: 1, unit: String::new(), hours: Some(f64::NAN) }], ..example() }),
        ("verify", CertificateSheet { verify: "x".repeat(301), ..example() }),
        ("key_digits", CertificateSheet { key_digits: "1234".into(), ..example() }),
        ("items", CertificateSheet { items: vec![example().items[0].clone(); 501], ..example() }),
    ];
    for (name, sheet) in cases {
        match certificate(&sheet) {
            Err(PrintError::Input { field, cause }) => assert_eq!(field, name, "{cause}"),
            other => panic!("{name}: {:?}", other.map(|pdf| pdf.len())),
        }
    }
}

fn poster() -> Sheet {
    Sheet {
        lang: "zh-Hans".into(),
        paper: Paper::A4,
        large: false,
        title: "高温天怎样防中暑".into(),
        blocks: vec![
            Block::Paragraph("连续高温时，老人、孕妇、幼儿和户外劳动者最容易中暑。多喝水、避开正午、注意身边的人，多数中暑可以避免。".into()),
            Block::Heading("出现这些情况请立即处理".into()),
            Block::List(vec![
                "头晕、恶心、出汗多：移到阴凉处，解开衣领，小口喝淡盐水。".into(),
                "体温超过 40 ℃、神志不清：马上拨打 120，用凉水擦身降温。".into(),
            ]),
            Block::Table {
                head: vec!["时间".into(), "适合做什么".into()],
                rows: vec![vec!["6–9 时".into(), "田间劳动、晨练".into()], vec!["11–16 时".into(), "留在室内，注意通风".into()]],
            },
        ],
        footer: Some(Footer {
            qr: "https://kepu.example/r/abcdefgh23/heat-1".into(),
            lines: vec!["https://kepu.example/r/abcdefgh23/heat-1".into(), "来源：国家卫生健康委；许可 CC-BY-4.0".into()],
        }),
    }
}

#[test]
fn a_sheet_grows_with_paper_and_type() {
    if !has_chinese() {
        return;
    }
    let sizes = [("a4.pdf", Paper::A4, false), ("a4-large.pdf", Paper::A4, true), ("a3.pdf", Paper::A3, true)].map(|(name, paper, large)| {
        let pdf = sheet(&Sheet { paper, large, ..poster() }).expect(name);
        keep(name, &pdf);
        if has_poppler() {
            let text = text_of(&pdf);
            assert!(text.contains("高温天怎样防中暑") && text.contains("留在室内") && text.contains("来源"), "{text}");
        }
        pdf
    });
    assert_eq!(sizes[0], sheet(&poster()).expect("again"));
    assert_ne!(sizes[0], sizes[1]);
}

#[test]
fn several_sheets_stand_in_one_file_each_with_its_own_foot() {
    if !has_chinese() {
        return;
    }
    let other = Sheet {
        title: "冬天用火别大意".into(),
        footer: Some(Footer { qr: "https://kepu.example/id/abcdefgh23/fire-1".into(), lines: vec!["第二张的地址".into()] }),
        paper: Paper::A3,
        ..poster()
    };
    let pdf = sheets(&[poster(), other]).expect("printed");
    keep("pack.pdf", &pdf);
    if has_poppler() {
        let text = text_of(&pdf);
        assert!(["高温天怎样防中暑", "heat-1", "冬天用火别大意", "第二张的地址"].iter().all(|word| text.contains(word)), "{text}");
    }
    assert!(matches!(sheets(&[]), Err(PrintError::Input { field, .. }) if field == "sheets"));
    let bad = Sheet { title: "缺字\u{E0000}\u{F0000}".into(), ..poster() };
    assert!(matches!(sheets(&[poster(), bad]), Err(PrintError::Glyphs { install, .. }) if !install.is_empty()), "never boxes");
}

#[test]
fn sheets_in_uyghur_and_tibetan_find_their_fonts() {
    if !has_chinese() || !has("fonts-noto-core", fonts::system().runs("ئۇ བོད", Face::Text).is_ok()) {
        return;
    }
    for (name, lang, title, text) in [
        ("ug.pdf", "ug", "ئىسسىق ئۆتۈشتىن ساقلىنىش", "سۇنى كۆپ ئىچىڭ، چۈشتە سىرتقا چىقماڭ."),
        ("bo.pdf", "bo", "ཚ་བས་གནོད་པ་འགོག་པ།", "ཆུ་མང་པོ་འཐུང་དགོས། ཉིན་གུང་ལ་ཕྱི་ལ་མ་འགྲོ།"),
    ] {
        let blocks = vec![Block::Paragraph(text.into()), Block::List(vec![text.into()])];
        let pdf = sheet(&Sheet { lang: lang.into(), title: title.into(), blocks, ..poster() }).expect(name);
        keep(name, &pdf);
    }
}

#[test]
fn uneven_tables_and_strange_languages_are_refused() {
    let table = |rows| Sheet { blocks: vec![Block::Table { head: vec!["甲".into()], rows }], ..poster() };
    assert!(matches!(sheet(&table(vec![vec![]])), Err(PrintError::Input { field, .. }) if field == "blocks[0].rows[0]"));
    for lang in ["", "Chinese", "zh_CN", "x", "zh-Hans-"] {
        assert!(matches!(sheet(&Sheet { lang: lang.into(), ..poster() }), Err(PrintError::Input { field, .. }) if field == "lang"), "{lang}");
    }
}
