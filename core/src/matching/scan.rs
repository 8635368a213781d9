//! Reading an event from its JSON text in one pass. What no path names is checked to be JSON and skipped: nothing is
//! built for it, and nesting there costs one byte a level and no stack.

use super::paths::{NodeId, ROOT};
use super::projection::{Builder, Walk};

/// Walks an event's text; none if it is not exactly one JSON object, or too deep on a path.
pub(super) fn event(text: &[u8], builder: &mut Builder) -> Walk {
    let text = std::str::from_utf8(text).ok()?;
    let mut scanner = Scanner { text, at: 0, nesting: Vec::new() };
    (scanner.peek()? == b'{').then_some(())?;
    scanner.value(ROOT, builder)?;
    scanner.peek().is_none().then_some(())
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
    /// The objects and arrays open in what is being skipped, by their closing byte.
    nesting: Vec<u8>,
}

impl<'a> Scanner<'a> {
    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// The next byte that is no space.
    fn peek(&mut self) -> Option<u8> {
        loop {
            let byte = self.byte()?;
            if !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                return Some(byte);
            }
            self.at += 1;
        }
    }

    /// Takes `wanted`, spaces before it aside.
    fn take(&mut self, wanted: u8) -> Walk {
        (self.peek()? == wanted).then_some(())?;
        self.at += 1;
        Some(())
    }

    /// Takes `wanted` if it comes next.
    fn takes(&mut self, wanted: u8) -> Option<bool> {
        let next = self.peek()? == wanted;
        self.at += usize::from(next);
        Some(next)
    }

    fn slice(&self, start: usize) -> &'a str {
        self.text.get(start..self.at).unwrap_or_default()
    }

    /// A value at a node of the paths.
    fn value(&mut self, node: NodeId, builder: &mut Builder) -> Walk {
        let path = builder.paths.path_at(node);
        match (self.peek()?, path) {
            (b'{', _) if builder.paths.goes_on(node) => {
                builder.descend()?;
                self.object(node, builder)?;
                builder.ascend();
                Some(())
            }
            (b'[', _) => {
                builder.descend()?;
                self.array(node, builder)?;
                builder.ascend();
                Some(())
            }
            (b'"', Some(path)) => {
                let text = self.string()?;
                builder.text(path, |buffer| unescape(text, buffer))
            }
            (b't' | b'f', Some(path)) => {
                let value = self.literal()? == "true";
                builder.bool(path, value)
            }
            (b'n', Some(path)) => {
                self.literal()?;
                builder.null(path)
            }
            (b'-' | b'0'..=b'9', Some(path)) => {
                let number = self.number()?.parse().ok()?;
                builder.number(path, number)
            }
            _ => self.skip(),
        }
    }

    fn object(&mut self, node: NodeId, builder: &mut Builder) -> Walk {
        self.take(b'{')?;
        if self.takes(b'}')? {
            return Some(());
        }
        let mut unescaped = String::new();
        loop {
            self.peek()?;
            let mut key = self.string()?;
            if key.contains('\\') {
                unescaped.clear();
                unescape(key, &mut unescaped)?;
                key = &unescaped;
            }
            let target = builder.paths.step(node, key);
            self.take(b':')?;
            match target {
                Some(target) => self.value(target, builder)?,
                None => self.skip()?,
            }
            if !self.takes(b',')? {
                return self.take(b'}');
            }
        }
    }

    fn array(&mut self, node: NodeId, builder: &mut Builder) -> Walk {
        self.take(b'[')?;
        builder.begin_array(node)?;
        if !self.takes(b']')? {
            loop {
                builder.element(matches!(self.peek()?, b'{' | b'['));
                self.value(node, builder)?;
                if !self.takes(b',')? {
                    self.take(b']')?;
                    break;
                }
            }
        }
        builder.end_array()
    }

    /// Skips a value of any depth.
    fn skip(&mut self) -> Walk {
        self.nesting.clear();
        loop {
            match self.peek()? {
                open @ (b'{' | b'[') => {
                    let closing = if open == b'{' { b'}' } else { b']' };
                    self.at += 1;
                    if !self.takes(closing)? {
                        self.nesting.push(closing);
                        self.key(closing)?;
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
                let Some(closing) = self.nesting.last().copied() else { return Some(()) };
                if self.takes(b',')? {
                    self.key(closing)?;
                    break;
                }
                self.take(closing)?;
                self.nesting.pop();
            }
        }
    }

    /// Skips a key and its colon, in an object.
    fn key(&mut self, closing: u8) -> Walk {
        if closing == b'}' {
            self.peek()?;
            self.string()?;
            self.take(b':')?;
        }
        Some(())
    }

    fn literal(&mut self) -> Option<&'a str> {
        let rest = self.text.get(self.at..)?;
        let literal = ["true", "false", "null"].into_iter().find(|literal| rest.starts_with(literal))?;
        self.at += literal.len();
        Some(literal)
    }

    /// A number as JSON writes it.
    fn number(&mut self) -> Option<&'a str> {
        let start = self.at;
        self.at += usize::from(self.byte()? == b'-');
        if self.byte()? == b'0' {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.byte() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.byte(), Some(b'e' | b'E')) {
            self.at += 1;
            self.at += usize::from(matches!(self.byte()?, b'+' | b'-'));
            self.digits()?;
        }
        Some(self.slice(start))
    }

    fn digits(&mut self) -> Walk {
        let start = self.at;
        while self.byte().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        (self.at > start).then_some(())
    }

    /// A string as it stands between its quotation marks, escapes checked but left in.
    fn string(&mut self) -> Option<&'a str> {
        (self.byte()? == b'"').then_some(())?;
        self.at += 1;
        let start = self.at;
        loop {
            self.plain();
            match self.byte()? {
                b'"' => {
                    let text = self.slice(start);
                    self.at += 1;
                    return Some(text);
                }
                b'\\' => {
                    self.at += 1;
                    match self.byte()? {
                        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => self.at += 1,
                        b'u' => {
                            let digits = self.text.as_bytes().get(self.at + 1..self.at + 5)?;
                            digits.iter().all(u8::is_ascii_hexdigit).then_some(())?;
                            self.at += 5;
                        }
                        _ => return None,
                    }
                }
                _ => return None,
            }
        }
    }

    /// Passes over what stands for itself in a string, eight bytes at a time.
    fn plain(&mut self) {
        const ONES: u64 = 0x0101_0101_0101_0101;
        const HIGH: u64 = 0x8080_8080_8080_8080;
        // The high bit of each byte that is zero (and perhaps of bytes after the first such one).
        let zero = |word: u64| word.wrapping_sub(ONES) & !word & HIGH;
        let bytes = self.text.as_bytes();
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
        while self.byte().is_some_and(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\') {
            self.at += 1;
        }
    }
}

/// Writes a string without its escapes. Half a surrogate pair becomes U+FFFD.
fn unescape(text: &str, buffer: &mut String) -> Walk {
    let mut rest = text;
    while let Some((plain, escaped)) = rest.split_once('\\') {
        buffer.push_str(plain);
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
    buffer.push_str(rest);
    Some(())
}

fn hex(text: &str) -> Option<u32> {
    u32::from_str_radix(text.get(..4)?, 16).ok()
}
