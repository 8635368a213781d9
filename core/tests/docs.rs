//! The reference pages: their tables of options are the engine's own, their plans hold, and all pages of faults are alike.
//!
//! `FAULTLAYER_BLESS=1 cargo test -p faultlayer-core --test docs` writes the tables.

#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test reads files and may fail")]

use std::path::{Path, PathBuf};

use faultlayer_core::faults::KINDS;
use faultlayer_core::plan::{Plan, options};

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs")
}

fn pages() -> Vec<PathBuf> {
    let mut pages: Vec<PathBuf> = KINDS.iter().map(|kind| docs().join(format!("faults/{}.md", kind.name))).collect();
    pages.extend([docs().join("plan.md"), docs().join("matching.md")]);
    pages
}

const BEGIN: &str = "<!-- options: ";
const END: &str = "<!-- end of options -->";

/// The page with every table between its marks generated again, and how many there are.
fn generated(page: &str) -> (String, usize) {
    let mut pieces = page.split(BEGIN);
    let mut written = pieces.next().unwrap().to_owned();
    let mut tables = 0;
    for piece in pieces {
        let (what, rest) = piece.split_once(" -->").unwrap();
        let (_, after) = rest.split_once(END).unwrap();
        let table = options(what).unwrap();
        written += &format!("{BEGIN}{what} -->\n\n{table}\n{END}{after}");
        tables += 1;
    }
    (written, tables)
}

#[test]
fn tables_of_options_are_the_engines_own() {
    for path in pages() {
        let page = std::fs::read_to_string(&path).unwrap();
        let (generated, tables) = generated(&page);
        assert!(tables > 0 || path.ends_with("matching.md"), "{} has no table", path.display());
        if std::env::var("FAULTLAYER_BLESS").is_ok() {
            std::fs::write(&path, generated).unwrap();
        } else {
            assert_eq!(page, generated, "{}: FAULTLAYER_BLESS=1 writes it", path.display());
        }
    }
}

#[test]
fn every_plan_on_a_page_holds() {
    for path in pages() {
        let page = std::fs::read_to_string(&path).unwrap();
        let plans: Vec<&str> = page.split("```json\n").skip(1).map(|block| block.split_once("\n```").unwrap().0).collect();
        assert!(!plans.is_empty(), "{}", path.display());
        for plan in plans {
            if let Err(error) = Plan::parse_to_run(plan) {
                assert!(error.problems.is_empty(), "{}: {error}\n{plan}", path.display());
            }
        }
    }
}

#[test]
fn all_pages_of_faults_have_the_same_headings() {
    for kind in KINDS {
        let page = std::fs::read_to_string(docs().join(format!("faults/{}.md", kind.name))).unwrap();
        let headings: Vec<&str> = page.lines().filter(|line| line.starts_with('#')).collect();
        let title = format!("# {}", kind.name);
        let expected = [title.as_str(), "## What it does", "## Options", "## What the caller sees", "## Example", "## Limits"];
        assert_eq!(headings, expected, "{}", kind.name);
        assert!(page.contains(&format!("{BEGIN}{} -->", kind.name)), "{}", kind.name);
        assert_eq!(page.contains(&format!("{BEGIN}when -->")), kind.takes_when, "{}", kind.name);
    }
}
