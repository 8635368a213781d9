//! The vocabulary in which the plan's tables say what a field may hold. One table serves the validator, the JSON Schema
//! and the generated reference pages, so that they cannot disagree.

use serde_json::Value;

/// One field of an object of the plan.
#[derive(Debug)]
pub struct Field {
    /// The key.
    pub name: &'static str,
    /// One sentence for the schema and the reference pages.
    pub doc: &'static str,
    /// What it may hold.
    pub shape: Shape,
    /// Whether it must stand, and what holds where it does not.
    pub presence: Presence,
}

/// Whether a field must stand.
#[derive(Debug)]
pub enum Presence {
    /// It must.
    Required,
    /// It must, and is a number at least that of another field.
    AtLeast(&'static str),
    /// It need not; absence has a meaning of its own.
    Optional,
    /// It need not; this JSON holds instead.
    Default(&'static str),
    /// As `Default`, but it cannot stand together with another field, and has no meaning beside it.
    DefaultWithout {
        /// The other field.
        other: &'static str,
        /// What holds where neither stands.
        json: &'static str,
    },
}

/// What a field may hold.
#[derive(Debug)]
pub enum Shape {
    /// A string of at least one and at most `max` characters.
    Name {
        /// The most characters.
        max: usize,
    },
    /// Any string.
    Text,
    /// `true` or `false`.
    Boolean,
    /// A whole number between two bounds, both allowed.
    Integer {
        /// The least.
        min: i64,
        /// The greatest.
        max: i64,
    },
    /// A finite number between two bounds; the lower one is allowed unless `above` is set.
    Number {
        /// The least.
        min: f64,
        /// The greatest.
        max: f64,
        /// The lower bound itself is not allowed.
        above: bool,
    },
    /// A share of all invocations: a number from 0 to 1.
    Fraction,
    /// RFC 3339, or `"never"` where that is allowed.
    Time {
        /// `"never"` is allowed.
        or_never: bool,
    },
    /// One of these strings.
    Choice(&'static [&'static str]),
    /// Any JSON, `null` included.
    Json,
    /// An object with any content.
    Object,
    /// An object whose values are strings.
    Strings,
    /// An `EventBridge` event pattern.
    Pattern,
    /// An object with these fields and no others.
    Fields(&'static [Field]),
    /// An object with exactly one of these fields.
    OneOf(&'static [Field]),
    /// An object from percentiles ("0" to "100") to milliseconds.
    Percentiles,
    /// A list of at least `min` such items.
    List {
        /// What each item is.
        item: &'static Shape,
        /// The fewest.
        min: usize,
        /// The most.
        max: usize,
    },
    /// A plain value, or an object that says more.
    Either(&'static Shape, &'static Shape),
    /// The faults: an object whose `kind` chooses its fields.
    Faults,
}

impl Field {
    /// A field that must stand.
    #[must_use]
    pub const fn required(name: &'static str, shape: Shape, doc: &'static str) -> Self {
        Self { name, doc, shape, presence: Presence::Required }
    }

    /// A field that must stand, with a number at least that of `other`.
    #[must_use]
    pub const fn at_least(other: &'static str, name: &'static str, shape: Shape, doc: &'static str) -> Self {
        Self { name, doc, shape, presence: Presence::AtLeast(other) }
    }

    /// Whether it must stand.
    #[must_use]
    pub const fn is_required(&self) -> bool {
        matches!(self.presence, Presence::Required | Presence::AtLeast(_))
    }

    /// A field whose absence has a meaning.
    #[must_use]
    pub const fn optional(name: &'static str, shape: Shape, doc: &'static str) -> Self {
        Self { name, doc, shape, presence: Presence::Optional }
    }

    /// A field with a default, given as JSON.
    #[must_use]
    pub const fn with_default(name: &'static str, shape: Shape, default: &'static str, doc: &'static str) -> Self {
        Self { name, doc, shape, presence: Presence::Default(default) }
    }
}

impl Shape {
    /// A number from `min` to `max`, both allowed.
    #[must_use]
    pub const fn number(min: f64, max: f64) -> Self {
        Self::Number { min, max, above: false }
    }

    /// What is allowed where `value` stands: helps with the commonest slip, a share said in percent.
    #[must_use]
    pub fn expected_instead_of(&self, value: &Value) -> String {
        let holds_fraction = matches!(self, Self::Fraction | Self::Either(Self::Fraction, _));
        match value.as_f64().filter(|number| holds_fraction && *number > 1.0 && *number <= 100.0 && number.fract() == 0.0) {
            Some(percent) => format!("{} ({percent} percent is {})", self.expected(), percent / 100.0),
            None => self.expected(),
        }
    }

    /// What is allowed, for people: completes "expected …".
    #[must_use]
    pub fn expected(&self) -> String {
        match self {
            Self::Name { max } => format!("a string of 1 to {max} characters"),
            Self::Text => "a string".into(),
            Self::Boolean => "true or false".into(),
            Self::Integer { min, max } if min == max => min.to_string(),
            Self::Integer { min, max } => format!("a whole number from {min} to {max}"),
            Self::Number { min, max, above: true } => format!("a number above {min}, at most {max}"),
            Self::Number { min, max, above: false } => format!("a number from {min} to {max}"),
            Self::Fraction => "a number from 0 to 1".into(),
            Self::Time { or_never: false } => "an RFC 3339 time such as \"2026-11-23T12:00:00Z\"".into(),
            Self::Time { or_never: true } => "an RFC 3339 time such as \"2026-11-23T12:00:00Z\", or \"never\"".into(),
            Self::Choice(choices) => {
                format!("one of {}", choices.iter().map(|choice| format!("\"{choice}\"")).collect::<Vec<_>>().join(", "))
            }
            Self::Json => "any JSON".into(),
            Self::Object => "an object".into(),
            Self::Strings => "an object whose values are strings".into(),
            Self::Pattern => "an EventBridge event pattern: an object".into(),
            Self::Fields(fields) => {
                let required = fields.iter().filter(|field| field.is_required());
                match names(required, " and ").as_str() {
                    "" => format!("an object with any of {}", names(fields.iter(), ", ")),
                    required => format!("an object with {required}"),
                }
            }
            Self::OneOf(fields) => format!("an object with exactly one of {}", names(fields.iter(), ", ")),
            Self::Percentiles => {
                "an object from percentiles to milliseconds that rise together, with \"100\", such as {\"50\": 80, \"100\": 2000}"
                    .into()
            }
            Self::List { item, min, max } => format!("a list of {min} to {max} items, each {}", item.expected()),
            Self::Either(plain, more) => format!("{} or {}", plain.expected(), more.expected()),
            Self::Faults => format!("a list of at most {} faults", super::MAX_FAULTS),
        }
    }
}

fn names<'a>(fields: impl Iterator<Item = &'a Field>, separator: &str) -> String {
    fields.map(|field| format!("\"{}\"", field.name)).collect::<Vec<_>>().join(separator)
}
