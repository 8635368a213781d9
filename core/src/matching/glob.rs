//! `wildcard`: `*` stands for any characters, `\*` and `\\` for themselves.

/// A compiled wildcard: literal pieces with one `*` between each two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Glob {
    first: Box<str>,
    /// None: there is no `*` at all.
    rest: Option<(Vec<Box<str>>, Box<str>)>,
}

impl Glob {
    /// Reads a wildcard; the error says what is allowed.
    pub(super) fn new(text: &str) -> Result<Self, &'static str> {
        let mut pieces = Vec::new();
        let mut piece = String::new();
        let mut characters = text.chars().peekable();
        while let Some(character) = characters.next() {
            match character {
                '*' if characters.peek() == Some(&'*') => return Err("a wildcard without two `*` in a row"),
                '*' => pieces.push(std::mem::take(&mut piece)),
                '\\' => match characters.next() {
                    Some(escaped @ ('*' | '\\')) => piece.push(escaped),
                    _ => return Err("a wildcard in which `\\` stands only before `*` or `\\`"),
                },
                other => piece.push(other),
            }
        }
        let mut pieces = pieces.into_iter().map(String::into_boxed_str);
        let last = piece.into_boxed_str();
        Ok(match pieces.next() {
            None => Self { first: last, rest: None },
            Some(first) => Self { first, rest: Some((pieces.collect(), last)) },
        })
    }

    /// Whether the text (without quotation marks) matches as a whole. Each piece is taken at its first place, which is
    /// enough, because what follows a `*` only gains from more room.
    pub(super) fn matches(&self, text: &str) -> bool {
        let Some((middle, last)) = &self.rest else { return *text == *self.first };
        let Some(mut left) = text.strip_prefix(&*self.first).and_then(|rest| rest.strip_suffix(&**last)) else { return false };
        for piece in middle {
            match left.split_once(&**piece) {
                Some((_, after)) => left = after,
                None => return false,
            }
        }
        true
    }
}
