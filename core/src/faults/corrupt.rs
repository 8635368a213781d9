//! `corrupt`: the handler's answer reaches the caller damaged.

use serde_json::Value;
use serde_json::value::RawValue;

use super::{Kind, Read, Role, Spec, Written, boxed};
use crate::decision::{Act, Details, Effect, Moment, Outcome, Reason};
use crate::plan::{Field, Problem, Shape, When};
use crate::sampling::Draws;

pub(super) static SPEC: Spec = Spec {
    name: "corrupt",
    doc: "Damages the handler's answer: replaces it, or mangles its text at drawn places.",
    fields: FIELDS,
    takes_when: false,
    role: Role::Corruption,
    stands: When::After,
    by_place: &[],
    instead: &[("corrupt_body", "body")],
    between: &[],
    read,
};

static FIELDS: &[Field] = &[Field::optional(
    "body",
    Shape::Json,
    "Replaces the answer as it stands, `null` included. Without it, a string answer or the string `body` of an object is mangled.",
)];

/// How to damage the answer.
#[derive(Clone, Debug)]
pub struct Corrupt {
    /// JSON that replaces the answer; `None` mangles its text.
    pub body: Option<Box<RawValue>>,
}

/// One place is mangled for each so many code points, and at least one.
const CODE_POINTS_A_PLACE: usize = 16;

/// However long the text, no more places than this: a body of megabytes must not cost milliseconds.
const MOST_PLACES: usize = 64;

/// What a mangled code point becomes: printable ASCII, so that the damage can be seen in a log.
const REPLACEMENTS: std::ops::RangeInclusive<u8> = b'!'..=b'~';

impl Corrupt {
    /// The text with code points at drawn places replaced; `None` if it is empty. `draws` stands behind the sample:
    /// draw 1 is unused, then each place takes two, where and what.
    #[must_use]
    fn mangle(text: &str, mut draws: Draws) -> Option<String> {
        let _delay = draws.next_draw();
        let length = text.chars().count();
        if length == 0 {
            return None;
        }
        let places = (length / CODE_POINTS_A_PLACE).clamp(1, MOST_PLACES);
        let mut replaced: Vec<(usize, u8)> = (0..places)
            .map(|_| {
                (
                    scaled(draws.next_draw(), length),
                    REPLACEMENTS.start() + u8::try_from(scaled(draws.next_draw(), 94)).unwrap_or(0),
                )
            })
            .collect();
        replaced.sort_by_key(|(place, _)| *place);
        replaced.dedup_by_key(|(place, _)| *place);
        let mut next = replaced.into_iter().peekable();
        let mangled = text.chars().enumerate().map(|(place, original)| {
            let Some((_, replacement)) = next.next_if(|(wanted, _)| *wanted == place) else { return original };
            let replacement = char::from(replacement);
            // The same one again would be no damage.
            if replacement == original { if original == '~' { '!' } else { '~' } } else { replacement }
        });
        Some(mangled.collect())
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a draw is in [0, 1) and texts are far below 2^53 code points"
)]
fn scaled(draw: f64, below: usize) -> usize {
    (draw * below as f64) as usize
}

impl Kind for Corrupt {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn act(&self, moment: &mut Moment<'_>) -> Result<Act, Reason> {
        let outcome = match &self.body {
            Some(body) => Some(Outcome::Response { answer: body.clone(), http: false }),
            None => moment.text.and_then(|text| Self::mangle(text, moment.draws.clone())).map(|text| Outcome::Corrupt { text }),
        };
        Ok(Act::new(Effect::Instead(outcome.ok_or(Reason::NothingToCorrupt)?), Details::new()))
    }
}

fn read(_: &Value, written: Written, _: &str, _: &mut Vec<Problem>) -> Read {
    boxed(Corrupt { body: written.body })
}

#[cfg(test)]
mod tests {
    use super::Corrupt;
    use crate::sampling::{Draws, FaultHash, RequestHash};

    fn mangle(text: &str, request_id: &str) -> Option<String> {
        let mut draws = Draws::new(RequestHash::of_request(7, request_id), FaultHash::of("lies"));
        draws.next_draw();
        Corrupt::mangle(text, draws)
    }

    #[test]
    fn some_code_points_change_and_all_others_stay() {
        let text = "größe 日本 🦀 ".repeat(20);
        for request_id in ["a", "b", "c"] {
            let mangled = mangle(&text, request_id).unwrap();
            assert_eq!(mangled.chars().count(), text.chars().count());
            let changed = text.chars().zip(mangled.chars()).filter(|(before, after)| before != after).count();
            assert!((1..=text.chars().count() / 16).contains(&changed), "{changed}");
            assert_eq!(mangle(&text, request_id), Some(mangled));
        }
    }

    #[test]
    fn the_shortest_text_is_damaged_too_and_an_empty_one_cannot_be() {
        for text in ["a", "~", "!"] {
            assert!((0..300).all(|id| mangle(text, &id.to_string()).unwrap() != text));
        }
        assert_eq!(mangle("", "a"), None);
    }

    #[test]
    fn a_long_text_has_at_most_64_damaged_places() {
        let text = "x".repeat(1 << 20);
        let mangled = mangle(&text, "a").unwrap();
        assert!(mangled.chars().filter(|c| *c != 'x').count() <= 64);
    }
}
