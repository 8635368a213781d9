//! The table of environment variables: the page is made of it, and what the sources read is in it.
//!
//! `FAULTLAYER_BLESS=1 cargo test -p faultlayer-core --test variables` writes the page.

#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test reads files and may fail")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use faultlayer_core::variables::{Reader, VARIABLES};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// What is built, installed or fetched, and what is made of the table.
const NOT_OURS: &[&str] = &["target", "node_modules", "build", "native", "dist", "__pycache__", "docs", "venv"];

const SOURCES: &[&str] =
    &["c", "cjs", "java", "json", "kt", "mjs", "mk", "py", "pyi", "rs", "sh", "toml", "ts", "yaml", "yml", ""];

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let (path, name) = (entry.path(), entry.file_name().into_string().unwrap());
        if name.starts_with('.') || NOT_OURS.contains(&name.as_str()) {
            continue;
        }
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            files(&path, found);
        } else if kind.is_file() && SOURCES.contains(&path.extension().map_or("", |extension| extension.to_str().unwrap())) {
            found.push(path);
        }
    }
}

/// Path below the root, and text.
fn sources() -> Vec<(String, String)> {
    let root = Path::new(ROOT).canonicalize().unwrap();
    let mut found = Vec::new();
    files(&root, &mut found);
    let text =
        |path: PathBuf| Some((path.strip_prefix(&root).unwrap().display().to_string(), std::fs::read_to_string(&path).ok()?));
    found.into_iter().filter_map(text).collect()
}

fn is_name(character: char) -> bool {
    character.is_ascii_uppercase() || character.is_ascii_digit() || character == '_'
}

/// The names that stand right behind `before`.
fn behind<'a>(text: &'a str, before: &'a str) -> impl Iterator<Item = &'a str> {
    text.split(before).skip(1).map(|rest| rest.split(|character| !is_name(character)).next().unwrap_or_default())
}

#[test]
fn every_name_of_ours_in_the_sources_is_in_the_table_and_every_name_in_the_table_is_in_the_sources() {
    let table: BTreeSet<&str> = VARIABLES.iter().map(|variable| variable.name).collect();
    assert_eq!(table.len(), VARIABLES.len(), "a name stands twice");
    let sources = sources();
    let used = sources.iter().filter(|(path, _)| path != "core/src/variables.rs");
    let mut found = BTreeSet::new();
    for (path, text) in used {
        for name in behind(text, "FAULTLAYER_").filter(|name| !name.is_empty()) {
            let name = format!("FAULTLAYER_{name}");
            // A name that is put together, as of a prefix.
            assert!(table.contains(name.as_str()) || name.ends_with('_'), "{path}: {name} is not in core/src/variables.rs");
            found.insert(name);
        }
    }
    for name in table.iter().filter(|name| name.starts_with("FAULTLAYER_")) {
        assert!(found.contains(*name), "{name} is in the table, and nothing reads it");
    }
}

#[test]
fn what_the_shipped_code_reads_is_in_the_table() {
    let table: BTreeSet<&str> = VARIABLES.iter().map(|variable| variable.name).collect();
    let shipped = |path: &str| {
        let parts = [
            "core/src/",
            "cli/src/",
            "lab/src/",
            "ssm-documents/src/",
            "fis/src/",
            "bindings-python/src/",
            "bindings-python/python/",
        ];
        let more =
            ["bindings-python/layer/", "bindings-node/src/", "bindings-node/lib/", "bindings-node/layer/", "bindings-java/src/"];
        let java = ["bindings-java/agent/src/main/", "bindings-java/library/src/main/", "bindings-java/runtime/src/main/"];
        [&parts[..], &more, &java].concat().iter().any(|part| path.starts_with(part))
    };
    let ways = [
        "env::var(\"",
        "env::var_os(\"",
        "process.env.",
        "os.environ[\"",
        "os.environ.get(\"",
        "os.environ.pop(\"",
        "System.getenv(\"",
    ];
    let mut looked_at = 0;
    for (path, text) in sources().iter().filter(|(path, _)| shipped(path)) {
        looked_at += 1;
        for name in ways.iter().flat_map(|way| behind(text, way)).filter(|name| !name.is_empty()) {
            assert!(table.contains(name), "{path}: {name} is not in core/src/variables.rs");
        }
    }
    assert!(looked_at > 100, "{looked_at}");
}

#[test]
fn the_page_is_the_tables_own() {
    let mut page =
        "# Environment variables\n\nAll that something of Faultlayer reads, made from `core/src/variables.rs`.\n".to_owned();
    let sections = [
        (Reader::Layer, "In a function", "What the layer reads; the first five are Faultlayer's own."),
        (Reader::Library, "In tests that use the library", "Who the function is, where a test wants to say so."),
        (Reader::Command, "The command and the lab", "Credentials and profiles are the AWS SDK's own business."),
        (Reader::Tests, "Tests and tools of the repository", "Nobody else needs them."),
    ];
    for (reader, title, note) in sections {
        page += &format!("\n## {title}\n\n{note}\n\n| variable | meaning |\n| -- | -- |\n");
        for variable in VARIABLES.iter().filter(|variable| variable.readers.contains(&reader)) {
            page += &format!("| `{}` | {} |\n", variable.name, variable.doc);
        }
    }
    let path = Path::new(ROOT).join("docs/environment.md");
    if std::env::var("FAULTLAYER_BLESS").is_ok() {
        std::fs::write(&path, &page).unwrap();
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap(), page, "FAULTLAYER_BLESS=1 writes it");
}
