//! Reading an event from its JSON text in one pass. What no path names is checked to be JSON and skipped: nothing is
//! built for it, and nesting there costs one bit a level and no stack. Reading ends where nothing that follows can matter.

use super::alternative::Leaf;
use super::budget::{Flow, Stop};
use super::facts::Few;
use super::paths::{NodeId, PathId, ROOT};
use super::token::{Written, behind_key, behind_literal, behind_number, behind_string, text, unspaced, written};
use super::walk::Walk;

/// Walks an event's text.
pub(super) fn event(text: &[u8], walk: &mut Walk<'_>) -> Flow {
    let mut scanner = Scanner { rest: text, nesting: Nesting::default(), key: String::new(), unescaped: String::new() };
    scanner.wants(b'{')?;
    scanner.value(ROOT, walk)?;
    if scanner.peek().is_err() { Ok(()) } else { Err(Stop::NoEvent) }
}

struct Scanner<'a> {
    /// What is not read yet.
    rest: &'a [u8],
    nesting: Nesting,
    /// Room for keys and texts without their escapes.
    key: String,
    unescaped: String,
}

/// What is open in what is being skipped: a bit for each level, set for objects, the innermost lowest.
#[derive(Default)]
struct Nesting {
    bits: u64,
    depth: usize,
    /// The bits of each 64 levels around those.
    outer: Few<u64, 2>,
}

impl Nesting {
    #[inline(always)]
    fn push(&mut self, object: bool, walk: &mut Walk<'_>) -> Flow {
        if self.depth.is_multiple_of(64) {
            walk.budget.hold(size_of::<u64>())?;
            self.outer.push(self.bits);
        }
        self.bits = self.bits << 1 | u64::from(object);
        self.depth += 1;
        Ok(())
    }

    #[inline(always)]
    fn pop(&mut self, walk: &mut Walk<'_>) {
        self.bits >>= 1;
        self.depth -= 1;
        if self.depth.is_multiple_of(64) {
            walk.budget.release(size_of::<u64>());
            self.bits = self.outer.pop().unwrap_or_default();
        }
    }

    /// Whether the innermost level is an object; none if there is no level.
    const fn innermost(&self) -> Option<bool> {
        if self.depth == 0 { None } else { Some(self.bits & 1 == 1) }
    }
}

impl<'a> Scanner<'a> {
    /// The next byte that is no space.
    #[inline(always)]
    fn peek(&mut self) -> Flow<u8> {
        self.rest = unspaced(self.rest);
        self.rest.first().copied().ok_or(Stop::NoEvent)
    }

    /// Passes over what comes before `rest`, and answers it.
    #[inline(always)]
    fn pass(&mut self, rest: &'a [u8]) -> &'a [u8] {
        let passed = self.rest.get(..self.rest.len() - rest.len()).unwrap_or_default();
        self.rest = rest;
        passed
    }

    /// `wanted` has to come next, spaces before it aside.
    fn wants(&mut self, wanted: u8) -> Flow {
        if self.peek()? == wanted { Ok(()) } else { Err(Stop::NoEvent) }
    }

    /// Takes `wanted`.
    #[inline(always)]
    fn take(&mut self, wanted: u8) -> Flow {
        if self.takes(wanted)? { Ok(()) } else { Err(Stop::NoEvent) }
    }

    /// Takes `wanted` if it comes next.
    #[inline(always)]
    fn takes(&mut self, wanted: u8) -> Flow<bool> {
        let next = self.peek()? == wanted;
        if next {
            self.rest = self.rest.get(1..).unwrap_or_default();
        }
        Ok(next)
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
            (b't' | b'f', Some(path)) => (path, Leaf::Bool(self.pass(behind_literal(self.rest)?) == b"true")),
            (b'n', Some(path)) => {
                self.rest = behind_literal(self.rest)?;
                (path, Leaf::Null)
            }
            (b'-' | b'0'..=b'9', Some(path)) => {
                let number = self.pass(behind_number(self.rest)?);
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
        let (bytes, Written { escaped, .. }) = self.string()?;
        let written = text(bytes)?;
        if !escaped {
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
            let (mut key, written) = self.string()?;
            if !written.ascii {
                text(key)?;
            }
            if written.escaped {
                self.key.clear();
                unescape(text(key)?, &mut self.key, super::MAX_BYTES + 1)?;
                walk.budget.passing(self.key.len())?;
                key = self.key.as_bytes();
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

    /// A string as it stands between its quotation marks, escapes checked but left in.
    #[inline(always)]
    fn string(&mut self) -> Flow<(&'a [u8], Written)> {
        let [b'"', within @ ..] = self.rest else { return Err(Stop::NoEvent) };
        let written = written(within)?;
        let (bytes, rest) = within.split_at_checked(written.length).ok_or(Stop::NoEvent)?;
        self.rest = rest.get(1..).unwrap_or_default();
        Ok((bytes, written))
    }

    /// Skips a value of any depth.
    fn skip(&mut self, walk: &mut Walk<'_>) -> Flow {
        let (mut rest, mut within_object) = (self.rest, None);
        loop {
            rest = unspaced(rest);
            match rest {
                [open @ (b'{' | b'['), within @ ..] => {
                    let object = *open == b'{';
                    rest = unspaced(within);
                    match rest {
                        [close, behind @ ..] if *close == closing(object) => rest = behind,
                        _ => {
                            self.nesting.push(object, walk)?;
                            within_object = Some(object);
                            rest = behind_key(rest, object)?;
                            continue;
                        }
                    }
                }
                [b'"', ..] => rest = behind_string(rest)?,
                [b'-' | b'0'..=b'9', ..] => rest = behind_number(rest)?,
                _ => rest = behind_literal(rest)?,
            }
            // A value ended.
            loop {
                let Some(object) = within_object else {
                    self.rest = rest;
                    return Ok(());
                };
                match unspaced(rest) {
                    [b',', behind @ ..] => {
                        rest = behind_key(behind, object)?;
                        break;
                    }
                    [close, behind @ ..] if *close == closing(object) => rest = behind,
                    _ => return Err(Stop::NoEvent),
                }
                self.nesting.pop(walk);
                within_object = self.nesting.innermost();
            }
        }
    }
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
