//! The files that a report is written to.

use std::path::Path;

/// A form of a report, named by a file's extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `.html`: one page that needs nothing else.
    Html,
    /// `.md`: for a pull request.
    Markdown,
    /// `.json`: all of it as data.
    Json,
}

impl Format {
    /// By the extension of `file`, or what is allowed.
    ///
    /// # Errors
    ///
    /// Where the extension is none of them.
    pub fn of(file: &Path) -> Result<Format, String> {
        match file.extension().and_then(|extension| extension.to_str()).map(str::to_ascii_lowercase).as_deref() {
            Some("html" | "htm") => Ok(Format::Html),
            Some("md" | "markdown") => Ok(Format::Markdown),
            Some("json") => Ok(Format::Json),
            _ => Err(format!("expected a file that ends in .html, .md or .json, got `{}`", file.display())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_extension_chooses() {
        let of = |name: &str| Format::of(Path::new(name));
        assert_eq!(of("a/page.html"), Ok(Format::Html));
        assert_eq!(of("PAGE.HTML"), Ok(Format::Html));
        assert_eq!(of("a.b.md"), Ok(Format::Markdown));
        assert_eq!(of("r.json"), Ok(Format::Json));
        for name in ["page", "page.pdf", ".html", "html"] {
            assert_eq!(of(name), Err(format!("expected a file that ends in .html, .md or .json, got `{name}`")));
        }
    }
}
