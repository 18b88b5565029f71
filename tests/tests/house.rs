//! People and the house through the real binary: accounts at the command line, the first run, anchors, and no open air.

use kepu_tests::{Node, wait_for};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

/// A request without a client library; the whole answer.
fn ask(address: SocketAddr, method: &str, path: &str, cookie: &str, body: &str) -> anyhow::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    let head =
        format!("{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncookie: {cookie}\r\ncontent-type: application/x-www-form-urlencoded\r\n");
    stream.write_all(format!("{head}content-length: {}\r\n\r\n{body}", body.len()).as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or_default()
}

#[test]
fn serving_to_other_machines_needs_a_declared_proxy_or_https() -> anyhow::Result<()> {
    let node = Node::init("县示例", "411525")?;
    for address in ["0.0.0.0:0", "[::]:0"] {
        for words in [vec!["serve", "--listen", address], vec!["serve", "--listen", address, "--base-url", "http://kepu.example"]] {
            let output = node.output(&words)?;
            assert_eq!(output.status.code(), Some(2), "{words:?}");
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(said.trim().lines().count() == 1 && said.contains("--behind-proxy"), "{said}");
        }
    }
    Ok(())
}

#[test]
fn a_lock_survives_the_kill_of_the_server_and_the_operator_ends_it() -> anyhow::Result<()> {
    let node = Node::init("县示例", "411525")?;
    let made = node.json(&["account", "create", "--login", "hejing", "--name", "何静", "--roles", "editor,steward"])?;
    let password = made["first_password"].as_str().expect("password").to_owned();
    let served = node.serve()?;
    let sign_in = |address, password: &str| ask(address, "POST", "/login", "", &format!("login=hejing&password={password}"));
    for _ in 0..5 {
        sign_in(served.address, "wrong")?;
    }
    assert_eq!(status(&sign_in(served.address, &password)?), "429");
    served.kill();
    let again = node.serve()?;
    assert_eq!(status(&sign_in(again.address, &password)?), "429");
    node.run(&["account", "unlock", "--login", "hejing"])?;
    let answer = sign_in(again.address, &password)?;
    assert_eq!(status(&answer), "303", "{answer}");
    let cookie = answer.split("set-cookie: ").nth(1).and_then(|rest| rest.split(';').next()).expect("cookie");
    let members = ask(again.address, "GET", "/members", cookie, "")?;
    assert!(status(&members) == "303" && members.contains("location: /account?to=%2Fmembers"), "the first password comes first: {members}");
    Ok(())
}

#[test]
fn accounts_are_made_listed_and_granted_at_the_command_line() -> anyhow::Result<()> {
    let node = Node::init("县示例", "411525")?;
    assert!(node.json(&["node", "show"])?["name"].is_string());
    node.run(&["account", "create", "--login", "hejing", "--name", "何静", "--roles", "editor"])?;
    for (words, why) in [
        (vec!["account", "create", "--login", "hejing", "--name", "何静"], "login taken"),
        (vec!["account", "create", "--login", "x y", "--name", "何静"], "login form"),
        (vec!["account", "create", "--login", "ab", "--name", "甲", "--roles", "boss"], "no role"),
        (vec!["account", "create", "--login", "ab", "--name", "甲", "--roles", "system_admin,audit_admin"], "roles apart"),
        (vec!["account", "grant", "--login", "hejing", "--role", "audit_admin"], "roles apart"),
        (vec!["account", "grant", "--login", "nobody", "--role", "editor"], "no account"),
        (vec!["account", "grant", "--login", "hejing", "--role", "editor", "--org", "nowhere"], "no organisation"),
    ] {
        let output = node.output(&words)?;
        assert_eq!(output.status.code(), Some(2), "{words:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains(why), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
    node.run(&["account", "grant", "--login", "hejing", "--role", "steward"])?;
    let listed = node.json(&["account", "list"])?;
    assert_eq!(listed["roles"], serde_json::json!(["editor 411525", "steward 411525"]), "{listed}");
    assert_eq!(node.run(&["account", "list", "--stale"])?, "");
    Ok(())
}

#[test]
fn the_setup_code_is_the_same_at_every_start_and_ends_with_the_first_account() -> anyhow::Result<()> {
    let node = Node::init("县示例", "411525")?;
    let served = node.serve()?;
    assert_eq!(status(&ask(served.address, "GET", "/setup", "", "")?), "200");
    node.run(&["account", "create", "--login", "hejing", "--name", "何静"])?;
    assert_eq!(status(&ask(served.address, "GET", "/setup", "", "")?), "404");
    Ok(())
}

#[test]
fn a_served_node_anchors_its_log_and_verify_checks_the_anchor() -> anyhow::Result<()> {
    let node = Node::init("县示例", "411525")?;
    let folder = node.data().join("audit-anchors");
    let _served = node.serve()?;
    let files = || std::fs::read_dir(&folder).map(|list| list.flatten().filter(|f| f.path().extension().is_none()).count()).unwrap_or(0);
    wait_for("the day's anchor", || files() == 1)?;
    let whole = node.json(&["audit", "verify"])?;
    assert_eq!((&whole["whole"], &whole["anchors"]), (&true.into(), &1.into()), "{whole}");
    let file = std::fs::read_dir(&folder)?.flatten().next().expect("anchor").path();
    let text = std::fs::read_to_string(&file)?;
    std::fs::write(&file, text.replacen("\"hash\": \"", "\"hash\": \"0", 1))?;
    let output = node.output(&["audit", "verify"])?;
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stdout).contains("forged"));
    Ok(())
}
