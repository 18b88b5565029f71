//! The access list `tests/access.csv` names exactly the routes that `kepu-web` declares; what it expects of them is
//! tested in `tests/`. A route that nobody wrote an expected answer for does not pass.

use crate::report::Report;
use crate::scan;
use crate::workspace::Workspace;
use anyhow::{Context, Result, ensure};
use std::collections::BTreeMap;

const ROUTES: &str = "crates/kepu-web/src/routes.rs";
const LIST: &str = "tests/access.csv";

/// Method and path of each route, with the line that declares it.
type Lines = BTreeMap<(String, String), usize>;

/// Compares the two.
pub fn check(workspace: &Workspace, report: &mut Report) -> Result<()> {
    let (Some(source), Some(list)) = (workspace.read(ROUTES)?, workspace.read(LIST)?) else {
        report.skip("routes", format!("{ROUTES} or {LIST} is not there yet"));
        return Ok(());
    };
    let code = scan::code(&source);
    let declared = declared(&code);
    for line in unseen(&code) {
        report.warn(format!("{ROUTES}:{line}"), "this route is not of the form route(\"METHOD\", \"/path\", …), so the access list cannot watch it");
    }
    let listed = match listed(&list) {
        Ok(listed) => listed,
        Err(error) => {
            report.fail(LIST, format!("{error:#}"), "write one row a route under columns method, path and one a role");
            return Ok(());
        }
    };
    for ((method, path), line) in declared.iter().filter(|(route, _)| !listed.contains_key(*route)) {
        report.fail(format!("{ROUTES}:{line}"), format!("{method} {path} has no row in {LIST}"), "add what each role is answered");
    }
    for ((method, path), line) in listed.iter().filter(|(route, _)| !declared.contains_key(*route)) {
        report.fail(format!("{LIST}:{line}"), format!("{method} {path} is no declared route"), "delete the row");
    }
    report.done("routes", format!("{} declared, {} listed", declared.len(), listed.len()));
    Ok(())
}

fn declared(code: &str) -> Lines {
    let mut found = Lines::new();
    for call in scan::calls(code, &["route"]) {
        if let [method, path, ..] = call.literals.as_slice() {
            found.entry((method.clone(), path.clone())).or_insert(call.line);
        }
    }
    found
}

/// Lines of routes declared with a path but without a method in front of it.
fn unseen(code: &str) -> Vec<usize> {
    scan::calls(code, &["route"]).into_iter().filter(|call| call.literals[0].starts_with('/')).map(|call| call.line).collect()
}

fn listed(text: &str) -> Result<Lines> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
    let headers = reader.headers()?.clone();
    let column = |name: &str| headers.iter().position(|header| header == name).with_context(|| format!("column \"{name}\" is missing"));
    let (method, path) = (column("method")?, column("path")?);
    let mut found = Lines::new();
    for row in reader.records() {
        let row = row?;
        let line = row.position().map_or(0, csv::Position::line) as usize;
        let route = (row[method].to_owned(), row[path].to_owned());
        let name = format!("line {line}: {} {} stands twice", route.0, route.1);
        ensure!(found.insert(route, line).is_none(), name);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_is_found_however_it_is_wrapped() {
        let code =
            scan::code("// route(\"GET\", \"/old\")\nroute(\"GET\", \"/\", home),\nroute(\n    \"POST\",\n    \"/ask\", ask)\nrouter.route(\"/x\", get(x))");
        let found: Vec<_> = declared(&code).into_iter().map(|((method, path), line)| (method, path, line)).collect();
        assert_eq!(found, [("GET".to_owned(), "/".to_owned(), 2), ("POST".to_owned(), "/ask".to_owned(), 3)]);
        assert_eq!(unseen(&code), [6]);
    }

    #[test]
    fn the_list_is_read_by_its_headers() {
        let found = listed("path,visitor,method\n/,200,GET\n/ask,303,POST\n").expect("list");
        assert_eq!(found.get(&("POST".into(), "/ask".into())), Some(&3));
        assert!(listed("path,visitor\n/,200\n").is_err_and(|e| e.to_string().contains("method")));
        assert!(listed("method,path\nGET,/\nGET,/\n").is_err_and(|e| e.to_string().contains("line 3")));
    }
}
