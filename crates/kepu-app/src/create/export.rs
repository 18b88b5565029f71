//! A register as a table that `import` takes back unchanged: every entry with everything its keepers hold of it, ordered by id.
//! What the world may have of a register are its cards (`find`).

use crate::App;
use crate::error::AppError;
use kepu_domain::access::{Action, Actor};
use kepu_domain::create::party::{Party, PartyKind};
use kepu_domain::create::register::{Register, Registers};
use kepu_domain::field::FieldDef;
use kepu_domain::ids::{OrgId, PartyId};
use kepu_store::create::party as store;
use serde_json::json;
use std::collections::HashMap;

/// Rows read from the table at once.
const CHUNK: u32 = 2_000;

/// Columns in front of the fields.
pub const FRONT: [&str; 2] = ["id", "kind"];
/// Columns behind the fields: what other deeds than a form change.
pub const BEHIND: [&str; 4] = ["registers", "confirmed", "consents", "sample"];

/// The fields of everything that may be in a register, each id once: those of its kinds, then its own.
pub fn fields_of<'a>(register: &'a Register, registers: &'a Registers) -> Vec<&'a FieldDef> {
    let of_kinds = register.kinds.iter().filter_map(|kind| registers.kinds.get(kind)).flat_map(|kind| &kind.fields);
    let mut list: Vec<&FieldDef> = Vec::new();
    for field in of_kinds.chain(&register.fields) {
        if !list.iter().any(|known| known.id == field.id) && !BEHIND.contains(&field.id.as_str()) {
            list.push(field);
        }
    }
    list
}

/// Writes a register as CSV, piece by piece, to `out`; returns how many entries it held.
///
/// May: stewards; each gets what they keep.
pub async fn export(app: &App, who: &Actor, register: &str, out: &mut (dyn FnMut(&str) -> std::io::Result<()> + Send)) -> Result<usize, AppError> {
    who.may(Action::ManageMembers, None)?;
    let definitions = app.definitions();
    let registers = &definitions.registers;
    let register = registers.registers.get(register).ok_or_else(|| AppError::NotFound { what: "register", id: register.to_owned() })?;
    let fields = fields_of(register, registers);
    let mut write = |text: &str| out(text).map_err(|source| AppError::File { action: "write", path: "the export".into(), source });
    let head: Vec<&str> = FRONT.into_iter().chain(fields.iter().map(|f| f.id.as_str())).chain(BEHIND).collect();
    write(&format!("\u{feff}{}\r\n", head.join(",")))?;
    let (mut after, mut count, mut kept) = (None::<PartyId>, 0, HashMap::<OrgId, bool>::new());
    loop {
        // Each piece in a transaction of its own: a long export holds nobody up.
        let mut tx = app.db.read().await?;
        let parties = store::list(&mut tx, after.as_ref(), CHUNK).await?;
        let Some(last) = parties.last() else { break };
        after = Some(last.id.clone());
        let mut text = String::new();
        for party in parties.iter().filter(|party| register.holds(party, app.today())) {
            if !kept.contains_key(&party.org) {
                let line = kepu_store::org::line(&mut tx, &party.org).await?;
                kept.insert(party.org.clone(), who.may(Action::ManageMembers, Some(&line)).is_ok());
            }
            if kept[&party.org] {
                count += 1;
                push_row(&mut text, party, &fields);
            }
        }
        drop(tx);
        write(&text)?;
    }
    Ok(count)
}

fn push_row(text: &mut String, party: &Party, fields: &[&FieldDef]) {
    let mut cells = vec![party.id.0.clone(), party.kind.as_str().to_owned()];
    cells.extend(fields.iter().map(|field| field.cell(&party.value(&field.id))));
    cells.push(party.registers.join(";"));
    cells.push(party.confirmed.map(|day| day.to_string()).unwrap_or_default());
    cells.push(if party.consents.is_empty() { String::new() } else { json!(party.consents).to_string() });
    cells.push(if party.sample { "true".into() } else { String::new() });
    for (at, cell) in cells.iter().enumerate() {
        text.push_str(if at == 0 { "" } else { "," });
        push_cell(text, cell);
    }
    text.push_str("\r\n");
}

/// Characters that make a spreadsheet run a cell. The apostrophe stands for "this is text" and is guarded as well, so that
/// [`plain_cell`] finds the way back.
const RUN: [char; 7] = ['=', '+', '-', '@', '\t', '\r', '\''];

fn push_cell(out: &mut String, cell: &str) {
    let guard = if cell.starts_with(RUN) { "'" } else { "" };
    if cell.contains(['"', ',', '\n', '\r']) {
        out.push_str(&format!("\"{guard}{}\"", cell.replace('"', "\"\"")));
    } else {
        out.push_str(guard);
        out.push_str(cell);
    }
}

/// A cell without the guard that an export put in front.
pub fn plain_cell(cell: &str) -> &str {
    cell.strip_prefix('\'').filter(|rest| rest.starts_with(RUN)).unwrap_or(cell)
}

/// The kind that a cell names: by its word or by its name in either language.
pub fn kind_of(text: &str, registers: &Registers) -> Option<PartyKind> {
    PartyKind::parse(text).or_else(|| registers.kinds.values().find(|kind| kind.zh == text || kind.en.eq_ignore_ascii_case(text)).map(|kind| kind.kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spreadsheet_runs_nothing_and_the_cell_comes_back() {
        for text in ["=1+1", "-3.5,115", "'=x", "'a", "@名", "水,\"盐\"\n糖", "平常", ""] {
            let mut row = String::new();
            push_cell(&mut row, text);
            assert!(!row.trim_start_matches('"').starts_with(['=', '+', '-', '@']), "{row}");
            let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(row.as_bytes());
            let back = reader.records().next().map_or_else(String::new, |record| record.expect("row")[0].to_owned());
            assert_eq!(plain_cell(&back), text);
        }
    }
}
