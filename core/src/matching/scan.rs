//! Reading an event from its JSON text in one pass. What no path names is checked to be JSON and skipped: nothing is
//! built for it, and nesting there costs one bit a level and no stack. Reading ends where nothing that follows can matter.

use super::alternative::Leaf;
use super::budget::{Flow, Stop};
use super::paths::{NodeId, PathId, ROOT};
use super::walk::Walk;

/// Walks an event's text.
pub(super) fn event(text: &[u8], walk: &mut Walk<'_>) -> Flow {
    let mut scanner = Scanner { text, at: 0, nesting: Nesting::default(), key: String::new(), unescaped: String::new() };
    scanner.wants(b'{')?;
    scanner.value(ROOT, walk)?;
    if scanner.peek().is_err() { Ok(()) } else { Err(Stop::NoEvent) }
}

struct Scanner<'a> {
    text: &'a [u8],
    at: usize,
    nesting: Nesting,
    /// Room for keys and texts without their escapes.
    key: String,
    unescaped: String,
}

/// What is open in what is being skipped: a bit for each level, set for objects.
#[derive(Default)]
struct Nesting {
    levels: Vec<u64>,
    depth: usize,
}

impl Nesting {
    fn push(&mut self, object: bool, walk: &mut Walk<'_>) -> Flow {
        let (word, bit) = (self.depth / 64, self.depth % 64);
        if word == self.levels.len() {
            walk.budget.hold(size_of::<u64>())?;
            self.levels.push(0);
        }
        if let Some(word) = self.levels.get_mut(word) {
            *word = *word & !(1 << bit) | u64::from(object) << bit;
        }
        self.depth += 1;
        Ok(())
    }

    /// Whether the innermost level is an object; none if there is no level.
    fn innermost(&self) -> Option<bool> {
        let level = self.depth.checked_sub(1)?;
        self.levels.get(level / 64).map(|word| word >> (level % 64) & 1 == 1)
    }
}

impl<'a> Scanner<'a> {
    fn byte(&self) -> Flow<u8> {
        self.text.get(self.at).copied().ok_or(Stop::NoEvent)
    }

    /// The next byte that is no space.
    fn peek(&mut self) -> Flow<u8> {
        loop {
            let byte = self.byte()?;
            if !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                return Ok(byte);
            }
            self.at += 1;
        }
    }

    /// `wanted` has to come next, spaces before it aside.
    fn wants(&mut self, wanted: u8) -> Flow {
        if self.peek()? == wanted { Ok(()) } else { Err(Stop::NoEvent) }
    }

    /// Takes `wanted`.
    fn take(&mut self, wanted: u8) -> Flow {
        self.wants(wanted)?;
        self.at += 1;
        Ok(())
    }

    /// Takes `wanted` if it comes next.
    fn takes(&mut self, wanted: u8) -> Flow<bool> {
        let next = self.peek()? == wanted;
        self.at += usize::from(next);
        Ok(next)
    }

    fn slice(&self, start: usize) -> &'a [u8] {
        self.text.get(start..self.at).unwrap_or_default()
    }

    /// A value at a node of the paths.
    fn value(&mut self, node: NodeId, walk: &mut Walk<'_>) -> Flow {
        let paths = walk.patterns().paths();
        let (path, leaf) = match (self.peek()?, paths.path_at(node)) {
            (b'{', _) if paths.goes_on(node) => {
                walk.descend()?;
                self.object(node, walk)?;
                walk.ascend();
                return Ok(());
            }
            (b'[', _) => {
                walk.descend()?;
                self.array(node, walk)?;
                walk.ascend();
                return Ok(());
            }
            (b'"', Some(path)) => return self.text(path, walk),
            (b't' | b'f', Some(path)) => (path, Leaf::Bool(self.literal()? == b"true")),
            (b'n', Some(path)) => {
                self.literal()?;
                (path, Leaf::Null)
            }
            (b'-' | b'0'..=b'9', Some(path)) => {
                let number = self.number()?;
                walk.budget.take(number.len() / 64)?;
                (path, Leaf::Number(text(number)?.parse().map_err(|_| Stop::NoEvent)?))
            }
            _ => {
                walk.budget.step()?;
                return self.skip(walk);
            }
        };
        walk.leaf(path, leaf)
    }

    fn text(&mut self, path: PathId, walk: &mut Walk<'_>) -> Flow {
        let written = self.string()?;
        if !written.contains('\\') {
            return walk.leaf(path, Leaf::Text(written));
        }
        self.unescaped.clear();
        let most = walk.enough(path).min(super::MAX_BYTES + 1);
        unescape(written, &mut self.unescaped, most)?;
        walk.budget.text(self.unescaped.len())?;
        walk.budget.passing(self.unescaped.len())?;
        walk.leaf(path, Leaf::Text(&self.unescaped))
    }

    fn object(&mut self, node: NodeId, walk: &mut Walk<'_>) -> Flow {
        self.take(b'{')?;
        if self.takes(b'}')? {
            return Ok(());
        }
        loop {
            self.peek()?;
            walk.budget.step()?;
            let mut key = self.string()?;
            if key.contains('\\') {
                self.key.clear();
                unescape(key, &mut self.key, super::MAX_BYTES + 1)?;
                walk.budget.passing(self.key.len())?;
                key = &self.key;
            }
            let target = walk.patterns().paths().step(node, key);
            self.take(b':')?;
            match target {
                Some(target) => self.value(target, walk)?,
                None => self.skip(walk)?,
            }
            if !self.takes(b',')? {
                return self.take(b'}');
            }
        }
    }

    fn array(&mut self, node: NodeId, walk: &mut Walk<'_>) -> Flow {
        self.take(b'[')?;
        walk.begin_array()?;
        if !self.takes(b']')? {
            loop {
                if matches!(self.peek()?, b'{' | b'[') {
                    walk.begin_element()?;
                    self.value(node, walk)?;
                    walk.end_element()?;
                } else {
                    self.value(node, walk)?;
                }
                if !self.takes(b',')? {
                    self.take(b']')?;
                    break;
                }
            }
        }
        walk.end_array()
    }

    /// Skips a value of any depth.
    fn skip(&mut self, walk: &mut Walk<'_>) -> Flow {
        self.nesting.depth = 0;
        loop {
            match self.peek()? {
                open @ (b'{' | b'[') => {
                    let object = open == b'{';
                    self.at += 1;
                    if !self.takes(closing(object))? {
                        self.nesting.push(object, walk)?;
                        self.key(object)?;
                        continue;
                    }
                }
                b'"' => {
                    self.string()?;
                }
                b'-' | b'0'..=b'9' => {
                    self.number()?;
                }
                _ => {
                    self.literal()?;
                }
            }
            // A value ended.
            loop {
                let Some(object) = self.nesting.innermost() else { return Ok(()) };
                if self.takes(b',')? {
                    self.key(object)?;
                    break;
                }
                self.take(closing(object))?;
                self.nesting.depth -= 1;
            }
        }
    }

    /// Skips a key and its colon, in an object.
    fn key(&mut self, object: bool) -> Flow {
        if object {
            self.peek()?;
            self.string()?;
            self.take(b':')?;
        }
        Ok(())
    }

    fn literal(&mut self) -> Flow<&'static [u8]> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let literals: [&[u8]; 3] = [b"true", b"false", b"null"];
        let literal = literals.into_iter().find(|literal| rest.starts_with(literal)).ok_or(Stop::NoEvent)?;
        self.at += literal.len();
        Ok(literal)
    }

    /// A number as JSON writes it.
    fn number(&mut self) -> Flow<&'a [u8]> {
        let start = self.at;
        self.at += usize::from(self.byte()? == b'-');
        if self.byte()? == b'0' {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.byte() == Ok(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.byte(), Ok(b'e' | b'E')) {
            self.at += 1;
            self.at += usize::from(matches!(self.byte()?, b'+' | b'-'));
            self.digits()?;
        }
        Ok(self.slice(start))
    }

    fn digits(&mut self) -> Flow {
        let start = self.at;
        while self.byte().is_ok_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at > start { Ok(()) } else { Err(Stop::NoEvent) }
    }

    /// A string as it stands between its quotation marks, escapes checked but left in.
    fn string(&mut self) -> Flow<&'a str> {
        if self.byte()? != b'"' {
            return Err(Stop::NoEvent);
        }
        self.at += 1;
        let start = self.at;
        loop {
            self.plain();
            match self.byte()? {
                b'"' => {
                    let written = self.slice(start);
                    self.at += 1;
                    return text(written);
                }
                b'\\' => {
                    self.at += 1;
                    match self.byte()? {
                        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => self.at += 1,
                        b'u' => {
                            let digits = self.text.get(self.at + 1..self.at + 5).ok_or(Stop::NoEvent)?;
                            if !digits.iter().all(u8::is_ascii_hexdigit) {
                                return Err(Stop::NoEvent);
                            }
                            self.at += 5;
                        }
                        _ => return Err(Stop::NoEvent),
                    }
                }
                _ => return Err(Stop::NoEvent),
            }
        }
    }

    /// Passes over what stands for itself in a string, eight bytes at a time.
    fn plain(&mut self) {
        const ONES: u64 = 0x0101_0101_0101_0101;
        const HIGH: u64 = 0x8080_8080_8080_8080;
        // The high bit of each byte that is zero (and perhaps of bytes after the first such one).
        let zero = |word: u64| word.wrapping_sub(ONES) & !word & HIGH;
        let bytes = self.text;
        while let Some(chunk) = bytes.get(self.at..self.at + 8).and_then(|chunk| <[u8; 8]>::try_from(chunk).ok()) {
            let word = u64::from_le_bytes(chunk);
            let control = word.wrapping_sub(ONES * 0x20) & !word & HIGH;
            let stop = zero(word ^ (ONES * u64::from(b'"'))) | zero(word ^ (ONES * u64::from(b'\\'))) | control;
            if stop != 0 {
                self.at += stop.trailing_zeros() as usize / 8;
                return;
            }
            self.at += 8;
        }
        while self.byte().is_ok_and(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\') {
            self.at += 1;
        }
    }
}

/// Only strings may hold more than ASCII, so only they have to be looked at for being UTF-8.
fn text(bytes: &[u8]) -> Flow<&str> {
    std::str::from_utf8(bytes).map_err(|_| Stop::NoEvent)
}

const fn closing(object: bool) -> u8 {
    if object { b'}' } else { b']' }
}

/// Writes a string without its escapes, or at least its first `enough` bytes. Half a surrogate pair becomes U+FFFD.
fn unescape(text: &str, buffer: &mut String, enough: usize) -> Flow {
    unescaped(text, buffer, enough).ok_or(Stop::NoEvent)
}

fn unescaped(text: &str, buffer: &mut String, enough: usize) -> Option<()> {
    let mut rest = text;
    while let Some((plain, escaped)) = rest.split_once('\\') {
        push(buffer, plain, enough);
        if buffer.len() >= enough {
            return Some(());
        }
        let kind = escaped.chars().next()?;
        rest = escaped.get(1..)?;
        buffer.push(match kind {
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let unit = hex(rest)?;
                rest = rest.get(4..)?;
                let low = rest.strip_prefix("\\u").and_then(hex).filter(|low| (0xdc00..0xe000).contains(low));
                match (unit, low) {
                    (0xd800..0xdc00, Some(low)) => {
                        rest = rest.get(6..)?;
                        char::from_u32(0x1_0000 + ((unit - 0xd800) << 10) + (low - 0xdc00))?
                    }
                    _ => char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER),
                }
            }
            itself => itself,
        });
    }
    push(buffer, rest, enough);
    Some(())
}

/// Appends what is still needed of a text.
fn push(buffer: &mut String, text: &str, enough: usize) {
    let end = text.ceil_char_boundary(enough.saturating_sub(buffer.len()).min(text.len()));
    buffer.push_str(text.get(..end).unwrap_or(text));
}

fn hex(text: &str) -> Option<u32> {
    u32::from_str_radix(text.get(..4)?, 16).ok()
}
