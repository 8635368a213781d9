//! From a problem's path back to line and column of the text, for people who look at a file.

/// The place of the value at `path` (`faults[2].rate`) in JSON `text`: line and column, both from 1, columns in
/// characters. Where the path does not exist (a missing field), the place of its nearest parent. `None` if the text is
/// no JSON.
#[must_use]
pub fn locate(text: &str, path: &str) -> Option<(usize, usize)> {
    let mut scanner = Scanner { bytes: text.as_bytes(), at: 0, wanted: path, nearest: (0, 0), found: None };
    scanner.value(&mut String::new(), 0)?;
    let offset = scanner.found.unwrap_or(scanner.nearest.1);
    let before = text.get(..offset)?;
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    Some((before.matches('\n').count() + 1, before.get(line_start..)?.chars().count() + 1))
}

struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
    wanted: &'a str,
    /// Length of the longest path met that is a parent of the wanted one, and its offset.
    nearest: (usize, usize),
    found: Option<usize>,
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

    fn note(&mut self, path: &str) {
        if path == self.wanted {
            // The last one wins: of a duplicate key, the second is the problem.
            self.found = Some(self.at);
        }
        let is_parent = self.wanted.strip_prefix(path).is_some_and(|rest| path.is_empty() || rest.starts_with(['.', '[']));
        if is_parent && path.len() >= self.nearest.0 {
            self.nearest = (path.len(), self.at);
        }
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
    use super::locate;

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
    fn broken_text_has_no_places() {
        for text in ["", "[}", "{", "{\"a", "[[", "{\"a\":\"\\"] {
            assert_eq!(locate(text, "a"), None, "{text}");
        }
    }
}
