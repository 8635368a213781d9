//! Which operation a call to a REST service is for: its request does not say, and SDKs of other languages tell. The table is
//! `scripts/operations.py`'s.

use std::sync::LazyLock;

use faultlayer_core::boundary::Request;

/// A line with a service's signing name, then one for each operation: method, path with what its query must have, name. What
/// asks for more comes first.
static TABLE: &str = include_str!("operations/table.txt");

/// Where each service's operations stand in it.
static SERVICES: LazyLock<Vec<(&str, &str)>> = LazyLock::new(|| {
    let mut services: Vec<(&str, &str)> = Vec::new();
    let (mut name, mut start, mut at) = ("", 0, 0);
    for line in TABLE.split_inclusive('\n') {
        if !line.contains(' ') {
            services.push((name, TABLE.get(start..at).unwrap_or_default()));
            (name, start) = (line.trim_end(), at + line.len());
        }
        at += line.len();
    }
    services.push((name, TABLE.get(start..).unwrap_or_default()));
    services
});

/// The operation of a request that does not name it, where the table has it.
pub fn find(request: &Request<'_>) -> Option<&'static str> {
    if request.target.is_some() || !request.body.is_empty() {
        return None;
    }
    let seen = request.seen();
    if seen.operation.is_some() {
        return None;
    }
    let (_, operations) = SERVICES.iter().find(|(service, _)| *service == seen.service)?;
    let bucket = (seen.service == "s3" && has_bucket(seen.host)).then_some("-");
    let path = seen.path.trim_matches('/');
    operations.lines().find_map(|line| {
        let (place, name) = line.strip_prefix(seen.method)?.strip_prefix(' ')?.rsplit_once(' ')?;
        let mut asked = place.split('?');
        let template = asked.next()?.trim_matches('/');
        let fits = fits(template, bucket, path) && asked.all(|asked| has(seen.query, asked));
        fits.then_some(name)
    })
}

/// Whether S3's bucket stands in the host: `BUCKET.s3.REGION.amazonaws.com`.
fn has_bucket(host: &str) -> bool {
    host.contains(".amazonaws.com") && !host.starts_with("s3.") && !host.starts_with("s3-")
}

/// Whether a path, with a bucket before it, is one of a template's, in which `{}` stands for a part and `{+}` for all that is
/// left.
fn fits(template: &str, bucket: Option<&str>, path: &str) -> bool {
    let rest = (bucket.is_none() || !path.is_empty()).then_some(path);
    let mut parts = bucket.into_iter().chain(rest.into_iter().flat_map(|rest| rest.split('/')));
    let mut templates = template.split('/');
    loop {
        match (templates.next(), parts.next()) {
            (None, None) => return true,
            (Some("{+}"), Some(part)) => return !part.is_empty(),
            (Some("{}"), Some(part)) if !part.is_empty() => {}
            (Some(template), Some(part)) if template == part => {}
            _ => return false,
        }
    }
}

/// Whether a query has what is asked for: a name, or a name and its value.
fn has(query: &str, asked: &str) -> bool {
    query.split('&').any(|pair| pair == asked || pair.split_once('=').is_some_and(|(name, _)| name == asked))
}
