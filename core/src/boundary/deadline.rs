//! The exact value of Lambda's deadline, where a runtime client tells the time left alone.
//!
//! The rule, for every language: read the clock, ask for the time left, read the clock again; if it reads the same, the
//! deadline is its reading and the time left. Else ask again, at most [`DEADLINE_TRIES`] times; then the last answer
//! counts, which is a millisecond off or two: a delay is still cut at it, and a fault that samples by attempt is hit by
//! another sample than was foretold. Node and Java ask in their own code, since crossing over costs more than asking; they
//! take the bound from here.

/// How often the time left is asked for at most. Two questions in a row meet a clock that ticks once in a thousand times;
/// 50 such in a row are a clock that never stands still.
pub const DEADLINE_TRIES: u32 = 50;

/// The deadline in milliseconds since the Unix epoch; `None` where the clock or the client gives no answer.
pub fn exact_deadline_ms(mut clock_ms: impl FnMut() -> Option<i64>, mut left_ms: impl FnMut() -> Option<i64>) -> Option<i64> {
    let mut tries = 0;
    loop {
        tries += 1;
        let before = clock_ms()?;
        let left = left_ms()?;
        if clock_ms()? == before || tries == DEADLINE_TRIES {
            return before.checked_add(left);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{DEADLINE_TRIES, exact_deadline_ms};

    /// The deadline by a clock that shows these readings, then the last one for ever, of an invocation that ends at 1,000.
    fn found(readings: &[i64]) -> (Option<i64>, usize) {
        let at = std::cell::Cell::new(0);
        let clock = || readings[at.get().min(readings.len() - 1)];
        let asked = std::cell::Cell::new(0);
        let told = exact_deadline_ms(
            || {
                let now = clock();
                at.set(at.get() + 1);
                Some(now)
            },
            || {
                asked.set(asked.get() + 1);
                Some(1_000 - clock())
            },
        );
        (told, asked.get())
    }

    #[test]
    fn it_is_exact_where_the_clock_stands_still_around_the_question() {
        assert_eq!(found(&[7]), (Some(1_000), 1));
        assert_eq!(found(&[7, 8, 8]), (Some(1_000), 2));
    }

    #[test]
    fn a_clock_that_never_stands_still_is_asked_so_often_and_no_more() {
        let readings: Vec<i64> = (0..1_000).collect();
        let (told, asked) = found(&readings);
        assert_eq!(asked, usize::try_from(DEADLINE_TRIES).unwrap());
        assert!((990..=1_000).contains(&told.unwrap()), "{told:?}");
    }
}
