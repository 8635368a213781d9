//! The builders of plans in Python, Node and Java, and Node's types, are made of the tables of fields: what one kind takes is said
//! once, and all languages have it under the same names.
//!
//! `FAULTLAYER_BLESS=1 cargo test -p faultlayer-core --test builders` writes what stands between their marks.

#![expect(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, reason = "a test reads files and may fail")]

use std::path::Path;

use faultlayer_core::faults::{KINDS, Spec};
use faultlayer_core::plan::{Field, Shape};

/// The longest lines of each language's formatter.
const PYTHON_WIDTH: usize = 120;
const NODE_WIDTH: usize = 125;

/// Holds what stands between the marks of a file against `lines`, or writes them there.
fn hold(file: &str, mark: &str, lines: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file);
    let text = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = text.split_once(&format!("<{mark}>")).unwrap_or_else(|| panic!("{file} has no <{mark}>"));
    let (first, _) = rest.split_once('\n').unwrap();
    let (_, after) = rest.split_once(&format!("</{mark}>")).unwrap();
    let last = rest.split_once(&format!("</{mark}>")).unwrap().0.rsplit('\n').next().unwrap();
    let made = format!("{before}<{mark}>{first}\n{lines}{last}</{mark}>{after}");
    if std::env::var("FAULTLAYER_BLESS").is_ok() {
        std::fs::write(&path, &made).unwrap();
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap(), made, "{file}: FAULTLAYER_BLESS=1 writes it");
}

/// The fields that a builder of the kind takes, those with a builder of their own left out.
fn own(kind: &Spec) -> impl Iterator<Item = &'static Field> {
    let fields = kind.fields;
    let instead = kind.instead;
    fields.iter().filter(move |field| !instead.iter().any(|(_, name)| *name == field.name))
}

fn field(kind: &Spec, name: &str) -> &'static Field {
    let fields = kind.fields;
    fields.iter().find(|field| field.name == name).unwrap_or_else(|| panic!("{} has no {name}", kind.name))
}

/// A type by its shape: of text, whole numbers, other numbers, objects, objects of strings, any JSON, delays, error classes,
/// which calls.
fn typed(shape: &Shape, [text, whole, number, object, strings, json, delay, class, calls]: [&'static str; 9]) -> &'static str {
    match shape {
        Shape::Name { .. } | Shape::Text | Shape::Choice(_) => text,
        Shape::Integer { .. } => whole,
        Shape::Number { .. } | Shape::Fraction => number,
        Shape::Object | Shape::Pattern => object,
        Shape::Strings => strings,
        Shape::Json => json,
        Shape::Either(Shape::Number { .. }, _) => delay,
        Shape::Either(Shape::Name { .. }, _) => class,
        Shape::Either(Shape::Choice(_), _) => calls,
        other => panic!("a builder takes no {other:?} yet: say here what its type is"),
    }
}

fn python_type(shape: &Shape) -> &'static str {
    typed(shape, ["str", "int", "float", "Mapping[str, Any]", "Mapping[str, str]", "Any", "Delay", "ErrorType", "Calls"])
}

fn node_type(shape: &Shape) -> &'static str {
    let (object, strings) = ("{ [name: string]: Json }", "{ [name: string]: string }");
    typed(shape, ["string", "number", "number", object, strings, "Json", "Delay", "ErrorType", "Calls"])
}

/// The first sentence.
fn brief(doc: &str) -> String {
    doc.split_once(". ").map_or_else(|| doc.to_owned(), |(first, _)| format!("{first}."))
}

/// The most parameters that Python's lint lets a caller tell by their place.
const PYTHON_PLACES: usize = 5;

/// A class method: `taken` as parameters, required ones first.
fn python_method(kind: &Spec, name: &str, taken: &[&Field], all_required: bool, doc: &str) -> String {
    let common = if kind.takes_when { "Timed" } else { "Common" };
    let required = |field: &&&Field| all_required || field.is_required();
    let mut parameters = vec!["cls".to_owned()];
    parameters.extend(taken.iter().filter(required).map(|field| format!("{}: {}", field.name, python_type(&field.shape))));
    let optional: Vec<_> = taken.iter().filter(|field| !required(field)).collect();
    parameters.extend(optional.iter().map(|field| format!("{}: {} | None = None", field.name, python_type(&field.shape))));
    if parameters.len() > PYTHON_PLACES {
        parameters.insert(1 + kind.by_place.len(), "*".to_owned());
    }
    parameters.push(format!("**common: Unpack[{common}]"));
    let mut head = format!("    def {name}({}) -> Fault:", parameters.join(", "));
    if head.len() > PYTHON_WIDTH {
        head = format!("    def {name}(\n        {},\n    ) -> Fault:", parameters.join(",\n        "));
    }
    let said = |field: &&Field| format!("{0}={0}, ", field.name);
    let given: Vec<_> = optional.iter().map(|field| format!("{0}={0}", field.name)).collect();
    let given = if given.is_empty() { String::new() } else { format!("**_given({}), ", given.join(", ")) };
    let fields: String = taken.iter().filter(required).map(said).collect();
    let mut made = format!("        return cls(\"{}\", {fields}{given}**common)", kind.name);
    if made.len() > PYTHON_WIDTH {
        let split = fields.replace(", ", ",\n            ") + &given.replace("), ", "),\n            ");
        made = format!("        return cls(\n            \"{}\",\n            {split}**common,\n        )", kind.name);
    }
    format!("    @classmethod\n{head}\n        \"\"\"{doc}\"\"\"\n{made}\n\n")
}

#[test]
fn pythons_builders_are_the_tables_own() {
    let mut methods = String::new();
    for kind in KINDS {
        let taken: Vec<_> = own(kind).collect();
        methods += &python_method(kind, kind.name, &taken, false, kind.doc);
        for (name, instead) in kind.instead {
            let field = field(kind, instead);
            methods += &python_method(kind, name, &[field], true, &brief(field.doc));
        }
    }
    hold("bindings-python/python/faultlayer/_plan.py", "builders", &methods);
}

#[test]
fn nodes_builders_are_the_tables_own() {
    let mut places =
        "/** What each builder of a fault takes before its options: the fields of its kind, by position. */\nconst KINDS = {\n"
            .to_owned();
    let mut kinds = Vec::new();
    for kind in KINDS {
        let taken: Vec<_> = kind.by_place.iter().map(|name| format!("'{name}'")).collect();
        places += &format!("  {}: [{}],\n", kind.name, taken.join(", "));
        for (name, field) in kind.instead {
            places += &format!("  {name}: ['{field}'],\n");
            kinds.push(format!("{name}: '{}'", kind.name));
        }
    }
    places += &format!(
        "}};\n/** The kinds of the builders that have names of their own. */\nconst KIND_OF = {{ {} }};\n",
        kinds.join(", ")
    );
    hold("bindings-node/lib/plan.cjs", "builders", &places);
}

fn interface(kind: &Spec) -> String {
    let word = |word: &str| {
        let (initial, rest) = word.split_at(1);
        initial.to_uppercase() + rest
    };
    kind.name.split('_').map(word).collect::<String>() + "Fault"
}

fn options(kind: &Spec) -> &'static str {
    if kind.takes_when { "TimedOptions" } else { "FaultOptions" }
}

fn member(field: &Field) -> String {
    format!("{}{}: {}", field.name, if field.is_required() { "" } else { "?" }, node_type(&field.shape))
}

fn members<'a>(fields: impl Iterator<Item = &'a Field>) -> String {
    fields.map(member).collect::<Vec<_>>().join("; ")
}

/// One declaration, broken as prettier breaks it.
fn declared(name: &str, parameters: &[String], answer: &str) -> String {
    let line = format!("  {name}({}): {answer};\n", parameters.join(", "));
    if line.trim_end().len() <= NODE_WIDTH {
        return line;
    }
    format!("  {name}(\n    {},\n  ): {answer};\n", parameters.join(",\n    "))
}

#[test]
fn nodes_types_are_the_tables_own() {
    let mut types = String::new();
    for kind in KINDS {
        types += &format!("export interface {} extends {} {{\n  kind: '{}';\n", interface(kind), options(kind), kind.name);
        types.extend(kind.fields.iter().map(|field| format!("  {};\n", member(field))));
        types += "}\n";
    }
    let all: Vec<_> = KINDS.iter().map(|kind| interface(kind)).collect();
    let line = format!("  {};", all.join(" | "));
    let union = if line.len() <= NODE_WIDTH { line } else { format!("  | {};", all.join("\n  | ")) };
    types += &format!("\n/** One fault of a plan. */\nexport type Fault =\n{union}\n");
    hold("bindings-node/index.d.ts", "faults", &types);

    let mut builders = String::new();
    for kind in KINDS {
        let mut parameters = Vec::new();
        for name in kind.by_place {
            parameters.push(match *name {
                "answer" => format!("answer?: {{ {} }}", members(own(kind))),
                name => member(field(kind, name)),
            });
        }
        let whole = kind.by_place.contains(&"answer");
        let left = members(kind.fields.iter().filter(|field| !whole && !kind.by_place.contains(&field.name)));
        let more = if left.is_empty() { String::new() } else { format!(" & {{ {left} }}") };
        parameters.push(format!("options?: {}{more}", options(kind)));
        builders += &format!("  /** {} */\n{}", kind.doc, declared(kind.name, &parameters, &interface(kind)));
        for (name, instead) in kind.instead {
            let field = field(kind, instead);
            let parameters = [format!("{}: {}", field.name, node_type(&field.shape)), format!("options?: {}", options(kind))];
            builders += &format!("  /** {} */\n{}", brief(field.doc), declared(name, &parameters, &interface(kind)));
        }
    }
    hold("bindings-node/index.d.ts", "builders", &builders);
}

/// `sizeMib` of `size_mib`; a time in milliseconds is a `Duration`, which needs no unit in its name.
fn java_name(name: &str) -> String {
    let mut parts = name.strip_suffix("_ms").unwrap_or(name).split('_');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |name, part| {
        let (initial, rest) = part.split_at(1);
        format!("{name}{}{rest}", initial.to_uppercase())
    })
}

fn java_method(kind: &Spec, name: &str, taken: &[&Field], doc: &str) -> String {
    let types = ["String", "int", "double", "Map<String, ?>", "Map<String, String>", "Object", "Duration", "String", "Object"];
    let is_time = |field: &&&Field| field.name.ends_with("_ms");
    let parameter = |field: &&Field| {
        let of = if is_time(&field) { "Duration" } else { typed(&field.shape, types) };
        format!("{of} {}", java_name(field.name))
    };
    let set = |field: &&Field| {
        let value = java_name(field.name);
        let value = if is_time(&field) { format!("millis({value})") } else { value };
        format!(".set(\"{}\", {value})", field.name)
    };
    let parameters: Vec<_> = taken.iter().map(parameter).collect();
    let sets: String = taken.iter().map(set).collect();
    let head = format!("    public static Fault {}({}) {{", java_name(name), parameters.join(", "));
    format!("    /** {doc} */\n{head}\n        return new Fault(\"{}\"){sets};\n    }}\n\n", kind.name)
}

#[test]
fn javas_builders_are_the_tables_own() {
    let mut methods = String::new();
    for kind in KINDS {
        let taken: Vec<_> = own(kind).filter(|field| field.is_required()).collect();
        methods += &java_method(kind, kind.name, &taken, kind.doc);
        for (name, instead) in kind.instead {
            let field = field(kind, instead);
            methods += &java_method(kind, name, &[field], &brief(field.doc));
        }
    }
    hold("bindings-java/library/src/main/java/dev/faultlayer/Fault.java", "builders", &methods);
}
