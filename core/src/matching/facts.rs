//! What is known of an event, or of one element of its arrays, as a set of numbers.
//!
//! A fact is: a leaf passes one of the alternatives of this field; or, where a field may be absent: this path has a leaf.

use smallvec::SmallVec;

/// A list that needs no room of its own while it is short, as it is for most plans and events: taking and giving it back costs
/// as much as a small match.
pub(super) type Few<T, const N: usize> = SmallVec<[T; N]>;

/// The number of a fact within its patterns.
pub(super) type Fact = u32;

/// Words for a set of so many facts.
pub(super) const fn words(facts: usize) -> usize {
    facts.div_ceil(64)
}

const fn place(fact: Fact) -> (usize, u64) {
    (fact as usize / 64, 1 << (fact % 64))
}

pub(super) fn has(bits: &[u64], fact: Fact) -> bool {
    let (word, bit) = place(fact);
    bits.get(word).is_some_and(|word| word & bit != 0)
}

/// Whether the fact is new.
pub(super) fn set(bits: &mut [u64], fact: Fact) -> bool {
    let (word, bit) = place(fact);
    bits.get_mut(word).is_some_and(|word| {
        let new = *word & bit == 0;
        *word |= bit;
        new
    })
}

pub(super) fn each(bits: &[u64]) -> impl Iterator<Item = Fact> + '_ {
    bits.iter().zip(0_u32..).flat_map(|(word, at)| {
        let mut left = *word;
        std::iter::from_fn(move || {
            let bit = (left != 0).then(|| left.trailing_zeros())?;
            left &= left - 1;
            Some(at * 64 + bit)
        })
    })
}

/// The set that leaves add to: only facts that somebody wants to know.
pub(super) struct Gathered<'a> {
    pub(super) bits: &'a mut [u64],
    pub(super) wanted: &'a [u64],
    /// Where facts are noted that were not known before.
    pub(super) new: Option<&'a mut Few<Fact, 4>>,
}

impl Gathered<'_> {
    pub(super) fn add(&mut self, facts: &[Fact]) {
        for fact in facts {
            if has(self.wanted, *fact)
                && set(self.bits, *fact)
                && let Some(new) = &mut self.new
            {
                new.push(*fact);
            }
        }
    }

    /// Whether any of the facts is wanted and not known.
    pub(super) fn lacks(&self, facts: &[Fact]) -> bool {
        facts.iter().any(|fact| has(self.wanted, *fact) && !has(self.bits, *fact))
    }
}
