//! Regular expressions of documents, templates and parameters, which come again with every call: compiled once.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use fancy_regex::{Error, Regex, RegexBuilder};

/// So many are kept; nobody's documents have more.
const MOST: usize = 1000;

/// A regular expression.
///
/// # Errors
/// It is none.
pub fn compiled(text: &str) -> Result<Arc<Regex>, Box<Error>> {
    static KNOWN: LazyLock<Mutex<HashMap<String, Arc<Regex>>>> = LazyLock::new(Mutex::default);
    let known = || KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(regex) = known().get(text) {
        return Ok(Arc::clone(regex));
    }
    // Counted classes grow large: `\S{1,255}` is a pattern that people write.
    let regex = Arc::new(RegexBuilder::new(text).delegate_size_limit(1 << 26).build()?);
    let mut known = known();
    if known.len() >= MOST {
        known.clear();
    }
    known.insert(text.to_owned(), Arc::clone(&regex));
    Ok(regex)
}

/// One that matches whole values, as AWS's do.
///
/// # Errors
/// It is none.
pub fn whole(pattern: &str) -> Result<Arc<Regex>, Box<Error>> {
    compiled(&format!("^(?:{pattern})$"))
}

#[cfg(test)]
mod tests {
    use super::{compiled, whole};
    use std::sync::Arc;

    #[test]
    fn a_pattern_is_compiled_once_and_matches_whole_values() {
        let first = whole(r"\S{1,255}").expect("a pattern that people write");
        assert!(Arc::ptr_eq(&first, &whole(r"\S{1,255}").expect("known")));
        assert!(first.is_match("one").expect("matches") && !first.is_match("one two").expect("matches"));
        assert!(compiled("one)(two").is_err() && compiled("(").is_err());
    }
}
