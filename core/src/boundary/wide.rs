//! A request id as languages hand it out that have text as UTF-16, of which they copy units faster than they make UTF-8.

/// Lambda's ids have 36 characters.
const SHORT: usize = 48;

/// Room for a short text of plain characters, on the stack.
#[derive(Debug)]
pub struct Wide {
    units: [u16; SHORT],
    bytes: [u8; SHORT],
}

impl Wide {
    /// Room for a new text.
    #[must_use]
    pub const fn new() -> Self {
        Self { units: [0; SHORT], bytes: [0; SHORT] }
    }

    /// Where its units are to be written.
    pub const fn units(&mut self) -> &mut [u16] {
        &mut self.units
    }

    /// The text of the first `count` units; `None` where there are more than have room, or other characters than ASCII has.
    #[must_use]
    pub fn text(&mut self, count: usize) -> Option<&str> {
        let (units, bytes) = (self.units.get(..count)?, self.bytes.get_mut(..count)?);
        let mut all = 0;
        for (byte, unit) in bytes.iter_mut().zip(units) {
            all |= unit;
            [*byte, _] = unit.to_le_bytes();
        }
        if all < 0x80 { std::str::from_utf8(bytes).ok() } else { None }
    }
}

impl Default for Wide {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::{SHORT, Wide};

    fn text(given: &str) -> Option<String> {
        let mut wide = Wide::new();
        let units: Vec<_> = given.encode_utf16().collect();
        wide.units().iter_mut().zip(&units).for_each(|(to, from)| *to = *from);
        wide.text(units.len()).map(str::to_owned)
    }

    #[test]
    fn a_short_plain_text_is_that_text_and_any_other_is_none() {
        for plain in ["", "8f5c7d1e-7b61-11e6-9a41-93e8deadbeef", "\u{7f}", &"x".repeat(SHORT)] {
            assert_eq!(text(plain).as_deref(), Some(plain));
        }
        // The last three end, as UTF-16, in bytes that are plain.
        for other in [&*"x".repeat(SHORT + 1), "\u{80}", "é", "\u{141}", "a\u{4e61}", "\u{1f461}"] {
            assert_eq!(text(other), None, "{other}");
        }
    }
}
