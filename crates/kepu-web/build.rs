//! Takes the two scripts that quicken pages from `assets/node_modules`, where npm put them. Without them the pages
//! leave the script tags out and do their whole job all the same.

use std::path::PathBuf;
use std::{env, fs};

const FILES: [(&str, &str); 3] =
    [("htmx.min.js", "htmx.org/dist/htmx.min.js"), ("uplot.min.js", "uplot/dist/uPlot.iife.min.js"), ("uplot.min.css", "uplot/dist/uPlot.min.css")];

fn main() {
    let modules = PathBuf::from(env::var("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("../../assets/node_modules");
    let out = PathBuf::from(env::var("OUT_DIR").expect("cargo sets it"));
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=locales");
    // A missing file is watched too: the build runs again once npm has brought it.
    let mut list = String::from("/// Name and bytes of each script that was there at build time.\npub const SCRIPTS: &[(&str, &[u8])] = &[\n");
    for (name, from) in FILES {
        let source = modules.join(from);
        println!("cargo:rerun-if-changed={}", source.display());
        if let Ok(bytes) = fs::read(&source) {
            fs::write(out.join(name), bytes).expect("OUT_DIR can be written");
            list.push_str(&format!("    ({name:?}, include_bytes!(concat!(env!(\"OUT_DIR\"), \"/{name}\"))),\n"));
        }
    }
    list.push_str("];\n");
    fs::write(out.join("scripts.rs"), list).expect("OUT_DIR can be written");
}
