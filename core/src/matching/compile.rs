//! A pattern as it was written, to branches of fields.
//!
//! Without `$or` a pattern is one branch: all its fields must match. Each `$or` multiplies the branches collected so far.
//! A path that stands twice in one branch keeps its later values, as in the library.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::alternative::Alternative;
use super::operator::{self, Element};
use super::paths::{PathId, Paths};
use super::{MAX_BRANCHES, MAX_DEPTH, MAX_FIELDS, MAX_TESTS};

/// One thing that is wrong with a pattern.
#[derive(Clone, Debug, PartialEq)]
pub struct PatternProblem {
    /// Where: the prefix that was handed in, then `.detail.state[0].prefix`.
    pub path: String,
    /// What stands there.
    pub value: Value,
    /// What is allowed; completes "expected …".
    pub expected: String,
}

/// A pattern as branches of fields.
#[derive(Debug)]
pub(super) struct Compiled {
    pub(super) fields: Vec<Field>,
    /// Each branch: which fields, in the order in which they are matched.
    pub(super) branches: Vec<Vec<u32>>,
}

/// The alternatives of one path.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) path: PathId,
    /// `{"exists": false}` is among them.
    pub(super) absent: bool,
    /// Each with its text.
    pub(super) alternatives: Vec<(Alternative, String)>,
}

/// Compiles a pattern and enters its paths into `paths`; the error is all that is wrong with it, in the order of the text.
pub(super) fn compile(pattern: &Value, path_prefix: &str, paths: &mut Paths) -> Result<Compiled, Vec<PatternProblem>> {
    let Value::Object(object) = pattern else {
        let (path, value) = (path_prefix.to_owned(), pattern.clone());
        return Err(vec![PatternProblem { path, value, expected: "a JSON object".to_owned() }]);
    };
    Compiler::new(false, paths).run(object, path_prefix).or_else(|problems| {
        // Where `$or` is no alternative in form, the library takes it for a field of that name.
        if !mentions_or(object) {
            return Err(problems);
        }
        Compiler::new(true, paths).run(object, path_prefix).map_err(|_| problems)
    })
}

const OR: &str = "$or";

/// Names that the library keeps free inside `$or`.
const RESERVED: &[&str] = &[
    "exactly",
    "equals-ignore-case",
    "prefix",
    "suffix",
    "anything-but",
    "exists",
    "wildcard",
    "numeric",
    "cidr",
    "=",
    "<",
    "<=",
    ">",
    ">=",
    "regex",
    "not-wildcard",
    "not-equals-ignore-case",
    "date-after",
    "date-on-or-after",
    "date-before",
    "date-on-or-before",
    "in-date-range",
    "ip-address-in-range",
    "ip-address-not-in-range",
];

fn mentions_or(object: &Map<String, Value>) -> bool {
    object.iter().any(|(name, value)| name == OR || value.as_object().is_some_and(mentions_or))
}

/// A branch on the way: the path's text, its number, its field.
type Branch = Vec<(PathId, u32)>;

/// Where the compiler stands.
#[derive(Clone, Copy)]
struct Place<'a> {
    /// The names so far, joined by dots as the library joins them.
    path: &'a str,
    /// The names so far as the plan writes them.
    at: &'a str,
    inside_or: bool,
    depth: usize,
}

struct Compiler<'a> {
    legacy: bool,
    paths: &'a mut Paths,
    /// The texts of the paths in this pattern, by which branches are sorted.
    names: BTreeMap<PathId, String>,
    fields: Vec<Field>,
    tests: usize,
    problems: Vec<PatternProblem>,
}

impl<'a> Compiler<'a> {
    fn new(legacy: bool, paths: &'a mut Paths) -> Self {
        Self { legacy, paths, names: BTreeMap::new(), fields: Vec::new(), tests: 0, problems: Vec::new() }
    }

    fn run(mut self, object: &Map<String, Value>, at: &str) -> Result<Compiled, Vec<PatternProblem>> {
        let mut branches = Vec::new();
        self.object(&mut branches, object, Place { path: "", at, inside_or: false, depth: 1 });
        if let Some(branch) = branches.iter().find(|branch| branch.len() > MAX_FIELDS) {
            let value = Value::from(branch.len());
            self.refuse(at, &value, format!("at most {MAX_FIELDS} fields that hold together"));
        }
        if !self.problems.is_empty() {
            return Err(self.problems);
        }
        // The order decides what `{"exists": false}` sees of the array elements chosen before it.
        let mut names: Vec<_> = self.names.into_iter().collect();
        names.sort_by(|(_, one), (_, other)| one.encode_utf16().cmp(other.encode_utf16()));
        let ranks: BTreeMap<PathId, usize> = names.iter().enumerate().map(|(rank, (path, _))| (*path, rank)).collect();
        let branches = branches
            .into_iter()
            .map(|mut branch| {
                branch.sort_by_cached_key(|(path, _)| ranks.get(path));
                branch.into_iter().map(|(_, field)| field).collect()
            })
            .collect();
        Ok(Compiled { fields: self.fields, branches })
    }

    fn refuse(&mut self, at: &str, value: &Value, expected: impl Into<String>) {
        self.problems.push(PatternProblem { path: at.to_owned(), value: value.clone(), expected: expected.into() });
    }

    fn object(&mut self, branches: &mut Vec<Branch>, object: &Map<String, Value>, place: Place<'_>) {
        if object.is_empty() {
            self.refuse(place.at, &Value::Object(Map::new()), "at least one field");
        }
        if place.depth > MAX_DEPTH {
            let value = Value::from(place.depth);
            return self.refuse(place.at, &value, format!("objects nested at most {MAX_DEPTH} deep"));
        }
        for (name, value) in object {
            let at = format!("{}.{name}", place.at);
            if name == OR && !self.legacy {
                self.alternatives(branches, value, Place { at: &at, ..place });
                continue;
            }
            if place.inside_or && RESERVED.contains(&name.as_str()) {
                self.refuse(&at, value, "another name, since operators stand only in arrays inside `$or`");
                continue;
            }
            // An empty name at the top adds nothing, neither itself nor a dot.
            let path = if place.path.is_empty() { name.clone() } else { format!("{}.{name}", place.path) };
            match value {
                Value::Object(nested) => {
                    self.object(branches, nested, Place { path: &path, at: &at, depth: place.depth + 1, ..place });
                }
                Value::Array(elements) => self.field(branches, &path, elements, &at),
                _ => self.refuse(&at, value, "an object or an array"),
            }
        }
    }

    fn alternatives(&mut self, branches: &mut Vec<Branch>, value: &Value, place: Place<'_>) {
        let before = std::mem::take(branches);
        let Value::Array(objects) = value else {
            return self.refuse(place.at, value, "an array of at least two objects");
        };
        if objects.len() < 2 {
            self.refuse(place.at, value, "an array of at least two objects");
        }
        for (index, alternative) in objects.iter().enumerate() {
            let at = format!("{}[{index}]", place.at);
            let Value::Object(object) = alternative else {
                self.refuse(&at, alternative, "an object");
                continue;
            };
            let mut added = if before.is_empty() { vec![Branch::new()] } else { before.clone() };
            self.object(&mut added, object, Place { at: &at, inside_or: true, depth: place.depth + 1, ..place });
            branches.append(&mut added);
            if branches.len() > MAX_BRANCHES {
                let value = Value::from(branches.len());
                self.refuse(&at, &value, format!("at most {MAX_BRANCHES} branches"));
                branches.truncate(1);
                return;
            }
        }
    }

    fn field(&mut self, branches: &mut Vec<Branch>, path: &str, elements: &[Value], at: &str) {
        if elements.is_empty() {
            self.refuse(at, &Value::Array(Vec::new()), "at least one value");
        }
        if path.split('.').count() > MAX_DEPTH {
            let value = Value::from(path);
            return self.refuse(at, &value, format!("at most {MAX_DEPTH} names in one path"));
        }
        self.tests += elements.len();
        if self.tests > MAX_TESTS {
            let value = Value::from(self.tests);
            return self.refuse(at, &value, format!("at most {MAX_TESTS} values in one pattern"));
        }
        let id = self.paths.add(path);
        self.names.entry(id).or_insert_with(|| path.to_owned());
        let mut field = Field { path: id, absent: false, alternatives: Vec::with_capacity(elements.len()) };
        for (index, element) in elements.iter().enumerate() {
            match operator::read(element, self.legacy) {
                Ok(Element::Absent) => field.absent = true,
                Ok(Element::Leaf(alternative)) => field.alternatives.push((alternative, element.to_string())),
                Err(refusal) => {
                    self.refuse(&format!("{at}[{index}]{}", refusal.below), &refusal.value, refusal.expected);
                }
            }
        }
        let number = u32::try_from(self.fields.len()).unwrap_or(u32::MAX);
        self.fields.push(field);
        if branches.is_empty() {
            branches.push(Branch::new());
        }
        for branch in branches {
            match branch.iter_mut().find(|(path, _)| *path == id) {
                Some(entry) => entry.1 = number,
                None => branch.push((id, number)),
            }
        }
    }
}
