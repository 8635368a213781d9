//! What the page is made of.

use std::fmt::{Result, Write};

use faultlayer_core::text::printable;

/// Text as HTML, in elements and in attributes; what acts on a terminal or hides on a page is written out.
pub fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len() + 16);
    for line in text.split('\n').enumerate().flat_map(|(index, line)| [if index > 0 { "\n" } else { "" }, line]) {
        if line == "\n" {
            safe.push('\n');
            continue;
        }
        for character in printable(line).chars() {
            match character {
                '&' => safe.push_str("&amp;"),
                '<' => safe.push_str("&lt;"),
                '>' => safe.push_str("&gt;"),
                '"' => safe.push_str("&quot;"),
                '\'' => safe.push_str("&#39;"),
                // What turns the direction of a text could make it read as another.
                '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => drop(write!(safe, "\\u{:04x}", u32::from(character))),
                other => safe.push(other),
            }
        }
    }
    safe
}

/// Text as HTML in which what stands in backticks is code.
pub fn code(text: &str) -> String {
    let mut pieces = text.split('`').map(escape);
    // An odd backtick at the end is one.
    if text.matches('`').count() % 2 == 1 {
        return escape(text);
    }
    let mut html = pieces.next().unwrap_or_default();
    while let (Some(inner), Some(outer)) = (pieces.next(), pieces.next()) {
        let _ = write!(html, "<code>{inner}</code>{outer}");
    }
    html
}

/// A figure of the report: what is shown, the exact value, and where it stands in the report as JSON, as a JSON pointer.
pub fn figure_of(shown: &str, value: impl std::fmt::Display, pointer: &str) -> String {
    format!("<data value=\"{value}\" data-of=\"{}\">{}</data>", escape(pointer), escape(shown))
}

/// A step of a JSON pointer (RFC 6901).
pub fn step(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// A table that scrolls by itself where the page is narrow.
pub fn table(page: &mut String, label: &str, class: &str, head: &[&str], rows: &[Vec<String>]) -> Result {
    write!(
        page,
        "<div class=\"scroll\" role=\"group\" aria-label=\"{label}\" tabindex=\"0\"><table class=\"{class}\">\n<thead><tr>",
        label = escape(label)
    )?;
    for cell in head {
        write!(page, "<th scope=\"col\">{cell}</th>")?;
    }
    page.push_str("</tr></thead>\n<tbody>\n");
    for row in rows {
        page.push_str("<tr>");
        for (index, cell) in row.iter().enumerate() {
            match index {
                0 => write!(page, "<th scope=\"row\">{cell}</th>")?,
                _ => write!(page, "<td>{cell}</td>")?,
            }
        }
        page.push_str("</tr>\n");
    }
    page.push_str("</tbody>\n</table></div>\n");
    Ok(())
}

/// A chart, drawn wide and narrow, with its legend: names and the classes of their swatches.
pub fn figure(page: &mut String, title: &str, words: &str, legend: &[(&str, &str)], drawn: &[String; 2]) -> Result {
    write!(page, "<figure>\n<figcaption><h3>{title}</h3>")?;
    if !legend.is_empty() {
        page.push_str("<ul class=\"legend\">");
        for (name, class) in legend {
            write!(page, "<li><span class=\"swatch {class}\" aria-hidden=\"true\"></span>{name}</li>")?;
        }
        page.push_str("</ul>");
    }
    page.push_str("</figcaption>\n");
    for (svg, class) in drawn.iter().zip(["wide", "narrow"]) {
        // The chart is one picture to a screen reader; its texts would be heard without their places.
        let svg = svg.replacen("<svg ", &format!("<svg class=\"{class}\" role=\"img\" aria-label=\"{}\" ", escape(words)), 1);
        writeln!(page, "{svg}")?;
    }
    page.push_str("</figure>\n");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_others_wrote_becomes_a_part_of_the_page() {
        assert_eq!(escape("<script>\"a\" & 'b'</script>"), "&lt;script&gt;&quot;a&quot; &amp; &#39;b&#39;&lt;/script&gt;");
        assert_eq!(escape("a\nb\u{1b}[1m\u{202e}c"), "a\nb\\u001b[1m\\u202ec");
        assert_eq!(code("under `a<b` now"), "under <code>a&lt;b</code> now");
        assert_eq!(code("one ` alone"), "one ` alone");
    }
}
