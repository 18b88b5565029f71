//! The verification page as it is served. That its script says the same as `kepu verify` is tested in `tests/tests/verifier.rs`.

use super::{node, request, send, text};
use crate::router;
use axum::http::{Method, StatusCode, header};

#[tokio::test]
async fn the_verification_page_carries_its_own_policy_and_the_digits_of_the_root() {
    let node = node().await;
    let site = router(node.web.clone());
    let answer = send(&site, request(Method::GET, "/verify", "kepu_view=en.elder", "")).await;
    assert_eq!(answer.status(), StatusCode::OK);
    let policy = answer.headers()[header::CONTENT_SECURITY_POLICY].to_str().expect("text").to_owned();
    assert!(policy.starts_with("default-src 'none'; script-src 'sha256-") && !policy.contains("unsafe") && !policy.contains("connect"), "{policy}");
    // The digest of nothing would stand there if the page had no script of that form.
    assert!(!policy.contains("47DEQpj8HBSa"), "{policy}");
    let page = text(answer).await;
    let digits = node.web.app.key.id().digits();
    assert!(page.contains(&format!("name=\"kepu-root\" content=\"{digits}\"")) && page.contains("name=\"kepu-node\" content=\"测试\""));
    assert!(page.contains("<html lang=\"en\" class=\"elder\">"));
}

#[test]
fn the_page_fits_a_slow_line_and_names_no_other_file() {
    let page = crate::assets::text("verify.html");
    assert!(page.len() <= 56_000, "{} bytes", page.len());
    assert_eq!((page.matches("<script").count(), page.matches("<style").count()), (1, 1));
    for word in [" src=", "@import", "url(", "fetch(", "XMLHttpRequest", "innerHTML", "localStorage", " style=", " onclick="] {
        assert!(!page.contains(word), "{word}");
    }
}
