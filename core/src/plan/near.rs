//! Which name was probably meant by one that does not exist.

/// Longer words are no slips of a name.
const LONGEST: usize = 40;

/// The closest of `names`, if any is close: at most two slips (a letter too many, missing, wrong or swapped with its
/// neighbour), and fewer than a third of its letters. Case and separators do not count: `delayMs` is `delay_ms`.
pub(super) fn near<'a>(written: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    if written.len() > LONGEST {
        return None;
    }
    let written = letters(written);
    let measured = names.map(|name| (slips(&written, &letters(name)), name));
    let close = measured.filter(|(slips, name)| *slips <= 2 && *slips * 3 <= name.len());
    close.min_by_key(|(slips, _)| *slips).map(|(_, name)| name)
}

fn letters(name: &str) -> Vec<char> {
    name.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The distance of Levenshtein, where two letters swapped are one slip.
fn slips(one: &[char], other: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=other.len()).collect();
    for (row, letter) in one.iter().enumerate() {
        let mut here = vec![row + 1];
        for (column, wanted) in other.iter().enumerate() {
            let at = |line: &[usize], column: usize| line.get(column).copied().unwrap_or(usize::MAX / 2);
            let mut least = (at(&above, column) + usize::from(letter != wanted)).min(at(&above, column + 1) + 1);
            least = least.min(at(&here, column) + 1);
            let swapped = row > 0 && column > 0 && one.get(row - 1) == Some(wanted) && other.get(column - 1) == Some(letter);
            if swapped {
                least = least.min(at(&before, column - 1) + 1);
            }
            here.push(least);
        }
        before = std::mem::replace(&mut above, here);
    }
    above.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::near;

    #[test]
    fn the_name_that_was_meant_is_found_and_no_other() {
        let names = ["id", "kind", "rate", "match", "limit", "sample_by", "delay_ms"];
        for (written, meant) in [
            ("delay", Some("delay_ms")),
            ("delayMs", Some("delay_ms")),
            ("delay-ms", Some("delay_ms")),
            ("dealy_ms", Some("delay_ms")),
            ("limits", Some("limit")),
            ("macth", Some("match")),
            ("Rate", Some("rate")),
            ("rat", Some("rate")),
            ("ids", None),
            ("probability", None),
            ("", None),
        ] {
            assert_eq!(near(written, names.into_iter()), meant, "{written}");
        }
    }
}
