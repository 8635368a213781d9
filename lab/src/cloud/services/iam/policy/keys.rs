//! The condition keys that the lab can judge by. A policy that names another one is refused, not guessed.

/// Keys whose names end with a tag's.
const TAGS: [&str; 2] = ["aws:resourcetag/", "aws:principaltag/"];

/// All other keys; the comment says who knows the value.
const KEYS: [&str; 11] = [
    // The call's principal.
    "aws:principalarn",
    "aws:principalaccount",
    "aws:principaltype",
    // A service that acts by itself: for whom, and what of it.
    "aws:sourceaccount",
    "aws:sourcearn",
    // The lab.
    "aws:requestedregion",
    "aws:currenttime",
    "aws:epochtime",
    "aws:resourceaccount",
    // The request.
    "lambda:layer",
    "iam:passedtoservice",
];

/// Refuses a key that the lab does not know.
pub fn known(key: &str) -> Result<(), String> {
    let small = key.to_ascii_lowercase();
    let tag = TAGS.iter().any(|prefix| small.strip_prefix(prefix).is_some_and(|tag| !tag.is_empty()));
    if tag || KEYS.contains(&small.as_str()) {
        return Ok(());
    }
    Err(format!("the lab does not know the condition key `{key}`"))
}
