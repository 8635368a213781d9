//! IP addresses: `cidr`, and plain strings that are addresses, which stand for the address however it is written.
//!
//! The library compares addresses digit by digit in hexadecimal and stops as soon as it knows. So an IPv6 address whose
//! first 32 bits lie in an IPv4 range matches that range, and so it does here.

/// The hexadecimal digits of an address: 8 or 32 values from 0 to 15.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    digits: [u8; 32],
    len: usize,
}

impl Address {
    /// Reads an IPv4 or IPv6 address; an IPv4 address written as IPv6 is the IPv4 address.
    pub(super) fn read(text: &str) -> Option<Self> {
        match text.as_bytes() {
            bytes if bytes.contains(&b':') => Some(match &version_6(text)? {
                [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, rest @ ..] => Self::of(rest),
                all => Self::of(all),
            }),
            bytes if bytes.contains(&b'.') => Some(Self::of(&version_4(text)?)),
            _ => None,
        }
    }

    fn of(bytes: &[u8]) -> Self {
        let mut digits = [0; 32];
        let both = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
        digits.iter_mut().zip(both).for_each(|(digit, value)| *digit = value);
        Self { digits, len: bytes.len() * 2 }
    }

    fn digits(&self) -> &[u8] {
        self.digits.get(..self.len).unwrap_or_default()
    }
}

/// A range of addresses, both ends included; the ends have the same number of digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct AddressRange {
    low: Address,
    high: Address,
}

impl AddressRange {
    /// The range of one address, if the text is one.
    pub(super) fn of_address(text: &str) -> Option<Self> {
        let address = Address::read(text)?;
        Some(Self { low: address.clone(), high: address })
    }

    /// Reads `ADDRESS/BITS`; the error says what is allowed.
    pub(super) fn of_cidr(text: &str) -> Result<Self, &'static str> {
        const FORM: &str = "an address, `/` and the number of fixed bits, such as `10.0.0.0/8`";
        let (address, bits) = text.trim_end_matches('/').split_once('/').ok_or(FORM)?;
        let bits: i32 = bits.parse().map_err(|_| FORM)?;
        let address = Address::read(address).ok_or("an IPv4 or IPv6 address before the `/`")?;
        let all = if address.len == 8 { 32 } else { 128 };
        if bits < 0 || bits >= all {
            return Err(if all == 32 {
                "0 to 31 fixed bits for an IPv4 address"
            } else {
                "0 to 127 fixed bits for an IPv6 address"
            });
        }
        let (mut low, mut high) = (address.clone(), address);
        for (index, (low, high)) in low.digits.iter_mut().zip(&mut high.digits).enumerate() {
            let fixed = (bits - 4 * i32::try_from(index).unwrap_or(32)).clamp(0, 4);
            let free = 0b1111_u8 >> fixed;
            *low &= !free;
            *high |= free;
        }
        Ok(Self { low, high })
    }

    /// Whether the address lies in this range.
    pub(super) fn contains(&self, address: &Address) -> bool {
        let mut digits = address.digits().iter();
        let (mut at_low, mut at_high) = (true, true);
        for (low, high) in self.low.digits().iter().zip(self.high.digits()) {
            let Some(digit) = digits.next() else { return false };
            if (at_low && digit < low) || (at_high && digit > high) {
                return false;
            }
            at_low &= digit == low;
            at_high &= digit == high;
            if !at_low && !at_high {
                return true;
            }
        }
        true
    }
}

/// Four decimal numbers up to 255, 15 characters in all at most; leading zeros do not matter.
fn version_4(text: &str) -> Option<[u8; 4]> {
    let mut parts = text.split('.');
    let mut address = [0; 4];
    for byte in &mut address {
        let part = parts.next()?;
        if part.is_empty() || !part.bytes().all(|digit| digit.is_ascii_digit()) {
            return None;
        }
        *byte = part.parse().ok()?;
    }
    (parts.next().is_none() && text.len() <= 15).then_some(address)
}

/// Eight groups of hexadecimal digits up to `ffff`, one run of zero groups shortened to `::`.
fn version_6(text: &str) -> Option<[u8; 16]> {
    let mut address = [0; 16];
    match text.split_once("::") {
        Some((before, after)) => {
            let (before, after) = (groups(before)?, groups(after)?);
            if before.len() + after.len() > 14 {
                return None;
            }
            address.iter_mut().zip(&before).for_each(|(byte, value)| *byte = *value);
            address.iter_mut().rev().zip(after.iter().rev()).for_each(|(byte, value)| *byte = *value);
        }
        None => {
            let groups = groups(text)?;
            if groups.len() != 16 {
                return None;
            }
            address.iter_mut().zip(&groups).for_each(|(byte, value)| *byte = *value);
        }
    }
    Some(address)
}

fn groups(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    if text.is_empty() {
        return Some(bytes);
    }
    for group in text.split(':') {
        if bytes.len() == 16 {
            return None;
        }
        let digits = group.trim_start_matches('0');
        if group.is_empty() || digits.len() > 4 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        let value = if digits.is_empty() { 0 } else { u16::from_str_radix(digits, 16).ok()? };
        bytes.extend(value.to_be_bytes());
    }
    Some(bytes)
}
