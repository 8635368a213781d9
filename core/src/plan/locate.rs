//! From problems' paths back to line and column of the text, for people who look at a file.

/// The place of the value at `path` (`faults[2].rate`) in JSON `text`: line and column, both from 1, columns in
/// characters. Where the path does not exist (a missing field), the place of its nearest parent. `None` if the text is
/// no JSON.
#[must_use]
pub fn locate(text: &str, path: &str) -> Option<(usize, usize)> {
    locate_all(text, &[path]).pop().flatten()
}

/// As [`locate`], for many paths in one pass over the text.
#[must_use]
pub fn locate_all(text: &str, paths: &[&str]) -> Vec<Option<(usize, usize)>> {
    // By path, so that what is below a value lies together.
    let mut order: Vec<usize> = (0..paths.len()).collect();
    order.sort_by_key(|index| paths.get(*index));
    let wanted: Vec<&str> = order.iter().filter_map(|index| paths.get(*index).copied()).collect();
    let nearest = vec![(0, 0); wanted.len()];
    let mut scanner = Scanner { bytes: text.as_bytes(), at: 0, wanted: &wanted, nearest };
    let mut places = vec![None; paths.len()];
    if scanner.value(&mut String::new(), 0).is_none() {
        return places;
    }
    // From the first place to the last, each part of the text is counted once.
    let mut offsets: Vec<(usize, usize)> = scanner.nearest.into_iter().map(|(_, offset)| offset).zip(order).collect();
    offsets.sort_unstable();
    let (mut done, mut line, mut column) = (0, 1, 1);
    for (offset, index) in offsets {
        for character in text.get(done..offset).unwrap_or_default().chars() {
            (line, column) = if character == '\n' { (line + 1, 1) } else { (line, column + 1) };
        }
        done = offset;
        if let Some(place) = places.get_mut(index) {
            *place = Some((line, column));
        }
    }
    places
}

struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
    /// Sorted.
    wanted: &'a [&'a str],
    /// For each the length of the longest path met that is its own or a parent of it, and the offset there.
    nearest: Vec<(usize, usize)>,
}

/// As deep as `serde_json` reads.
const DEEPEST: usize = 128;

impl Scanner<'_> {
    fn value(&mut self, path: &mut String, depth: usize) -> Option<()> {
        self.skip_space();
        self.note(path);
        if depth > DEEPEST {
            return None;
        }
        match self.peek()? {
            b'{' => self.container(path, depth, b'}'),
            b'[' => self.container(path, depth, b']'),
            b'"' => self.string().map(|_| ()),
            _ => {
                let start = self.at;
                while self.peek().is_some_and(|byte| !b",]} \t\r\n".contains(&byte)) {
                    self.at += 1;
                }
                // Without progress the text is no JSON, and the loops above would not end.
                (self.at > start).then_some(())
            }
        }
    }

    fn container(&mut self, path: &mut String, depth: usize, close: u8) -> Option<()> {
        self.at += 1;
        let mut index = 0;
        loop {
            self.skip_space();
            match self.peek()? {
                byte if byte == close => {
                    self.at += 1;
                    return Some(());
                }
                b',' => self.at += 1,
                _ => {
                    let length = path.len();
                    if close == b'}' {
                        let key = self.string()?;
                        self.skip_space();
                        self.at += 1;
                        if !path.is_empty() {
                            path.push('.');
                        }
                        path.push_str(&key);
                    } else {
                        path.push_str(&format!("[{index}]"));
                        index += 1;
                    }
                    self.value(path, depth + 1)?;
                    path.truncate(length);
                }
            }
        }
    }

    fn string(&mut self) -> Option<String> {
        let start = self.at;
        self.at += 1;
        while self.peek()? != b'"' {
            self.at += if self.peek()? == b'\\' { 2 } else { 1 };
        }
        self.at += 1;
        serde_json::from_slice(self.bytes.get(start..self.at)?).ok()
    }

    /// A value begins. Of a duplicate key, the last one counts: the second is the problem.
    fn note(&mut self, path: &mut String) {
        let length = path.len();
        if length == 0 {
            return self.reach(0, self.wanted.len(), length);
        }
        let first = self.wanted.partition_point(|wanted| **wanted < **path);
        let exact = self.wanted.get(first..).unwrap_or_default().partition_point(|wanted| **wanted == **path);
        self.reach(first, exact, length);
        for border in ['.', '['] {
            path.push(border);
            let first = self.wanted.partition_point(|wanted| **wanted < **path);
            let below = self.wanted.get(first..).unwrap_or_default().partition_point(|wanted| wanted.starts_with(&**path));
            self.reach(first, below, length);
            path.truncate(length);
        }
    }

    fn reach(&mut self, first: usize, count: usize, length: usize) {
        let reached = self.nearest.get_mut(first..first + count).unwrap_or_default();
        reached.iter_mut().filter(|(longest, _)| *longest <= length).for_each(|nearest| *nearest = (length, self.at));
    }

    fn skip_space(&mut self) {
        while self.peek().is_some_and(|byte| b" \t\r\n".contains(&byte)) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::{locate, locate_all};

    const TEXT: &str = "{\n  \"größe\": [1, {\"a\\\"b\": 2}],\n  \"faults\": [\n    {\"rate\": 2}\n  ]\n}";

    #[test]
    fn a_value_is_found_by_its_path() {
        assert_eq!(locate(TEXT, ""), Some((1, 1)));
        assert_eq!(locate(TEXT, "größe[1].a\"b"), Some((2, 25)));
        assert_eq!(locate(TEXT, "faults[0].rate"), Some((4, 14)));
    }

    #[test]
    fn a_missing_field_points_at_its_parent() {
        assert_eq!(locate(TEXT, "faults[0].kind"), Some((4, 5)));
        assert_eq!(locate(TEXT, "version"), Some((1, 1)));
    }

    #[test]
    fn of_a_duplicate_key_the_second_is_meant() {
        assert_eq!(locate("{\"a\": 1,\n\"a\": 2}", "a"), Some((2, 6)));
    }

    #[test]
    fn many_paths_are_found_at_once() {
        let paths = ["faults[0].rate", "", "größe[1].a\"b", "faults[0]", "faults[0].kind", "faults", "größe[0]"];
        let apart: Vec<_> = paths.iter().map(|path| locate(TEXT, path)).collect();
        assert_eq!(locate_all(TEXT, &paths), apart);
    }

    #[test]
    fn broken_text_has_no_places() {
        for text in ["", "[}", "{", "{\"a", "[[", "{\"a\":\"\\"] {
            assert_eq!(locate(text, "a"), None, "{text}");
        }
    }
}
