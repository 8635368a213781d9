//! Where a layer's plan comes from: `FAULTLAYER_PLAN` holds the plan itself, or names a place that is read again and again.

use std::fmt::{self, Write};
use std::fs::File;
use std::io::Read;

use rustix::fs::{FileType, Mode, OFlags, fstat, open};
use serde_json::Value;

use super::http;
use crate::variables::{APPCONFIG_PORT, PARAMETERS_PORT, SESSION_TOKEN};

/// The most bytes that are read of a file: a plan of 100 faults takes some 20 KB.
const LARGEST_FILE: u64 = 1 << 20;

/// What `FAULTLAYER_PLAN` says.
#[derive(Debug)]
pub enum Source {
    /// The plan.
    Plan(String),
    /// Where it is.
    Place(Place),
}

/// A place that has a plan, another one at another time.
#[derive(Debug)]
pub struct Place {
    /// As it was named.
    name: String,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    File(String),
    /// AWS's agent, which answers the text itself.
    AppConfig {
        port: u16,
        path: String,
    },
    /// AWS's extension, which answers as `GetParameter` does.
    Parameter {
        port: u16,
        path: String,
        headers: String,
    },
}

impl Source {
    /// What `value` names. All that reading it takes of the environment is read here: later, on a thread of ours, the function
    /// may be changing it.
    ///
    /// # Errors
    /// It is no source that there is.
    pub fn of(value: &str, variable: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let value = value.trim();
        // A scheme is a word before a colon; anything else is meant as JSON, and JSON's own errors tell more.
        let is_scheme =
            |scheme: &str| !scheme.is_empty() && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        let Some((scheme, at)) = value.split_once(':').filter(|(scheme, _)| is_scheme(scheme)) else {
            return Ok(Self::Plan(value.to_owned()));
        };
        let kind = match scheme {
            "file" if !at.is_empty() => Kind::File(at.to_owned()),
            "appconfig" => match at.split('/').collect::<Vec<_>>()[..] {
                [application, environment, profile] if ![application, environment, profile].contains(&"") => Kind::AppConfig {
                    port: port(variable(APPCONFIG_PORT), APPCONFIG_PORT, 2772)?,
                    path: format!(
                        "/applications/{}/environments/{}/configurations/{}",
                        Escaped(application),
                        Escaped(environment),
                        Escaped(profile)
                    ),
                },
                _ => return Err(unknown(value)),
            },
            "parameter" if at.len() > 1 && at.starts_with('/') => Kind::Parameter {
                port: port(variable(PARAMETERS_PORT), PARAMETERS_PORT, 2773)?,
                path: format!("/systemsmanager/parameters/get?name={}&withDecryption=true", Escaped(at)),
                // A token has no line ends; a variable could.
                headers: variable(SESSION_TOKEN)
                    .filter(|token| token.bytes().all(|byte| byte.is_ascii_graphic()))
                    .map_or_else(String::new, |token| format!("X-Aws-Parameters-Secrets-Token: {token}\r\n")),
            },
            "file" | "parameter" => return Err(unknown(value)),
            _ => return Err(unknown(&format!("{scheme}:"))),
        };
        Ok(Self::Place(Place { name: value.to_owned(), kind }))
    }
}

fn unknown(value: &str) -> String {
    let expected = "the plan itself, `file:PATH`, `appconfig:APPLICATION/ENVIRONMENT/PROFILE` or `parameter:/NAME`";
    format!("FAULTLAYER_PLAN: expected {expected}, got the source `{value}`")
}

fn port(given: Option<String>, name: &str, usual: u16) -> Result<u16, String> {
    let Some(given) = given.filter(|given| !given.is_empty()) else { return Ok(usual) };
    given.parse().ok().filter(|port| *port > 0).ok_or_else(|| format!("{name}: expected a port from 1 to 65535, got `{given}`"))
}

/// A part of a URL: what could mean anything else there is written by its bytes.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.bytes().try_for_each(|byte| match byte {
            b'-' | b'.' | b'_' | b'~' => formatter.write_char(char::from(byte)),
            _ if byte.is_ascii_alphanumeric() => formatter.write_char(char::from(byte)),
            _ => write!(formatter, "%{byte:02X}"),
        })
    }
}

impl Place {
    /// As it was named.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it can be read before the first invocation: AWS's extension for parameters cannot.
    #[must_use]
    pub const fn is_there_at_init(&self) -> bool {
        !matches!(self.kind, Kind::Parameter { .. })
    }

    /// The text that is there now. Takes a few seconds at most, but of a file system that hangs.
    ///
    /// # Errors
    /// What stands in the way.
    pub fn read(&self) -> Result<String, String> {
        let bytes = match &self.kind {
            Kind::File(path) => return read_file(path),
            Kind::AppConfig { port, path } => http::get(*port, path, "")?,
            Kind::Parameter { port, path, headers } => http::get(*port, path, headers)?,
        };
        let text = String::from_utf8(bytes).map_err(|_| "it is no UTF-8".to_owned())?;
        if !matches!(self.kind, Kind::Parameter { .. }) {
            return Ok(text);
        }
        let answer: Value = serde_json::from_str(&text).unwrap_or_default();
        let value = answer.get("Parameter").and_then(|parameter| parameter.get("Value")?.as_str());
        value.map(str::to_owned).ok_or_else(|| "what it answers is no parameter".to_owned())
    }
}

/// A regular file, not too large; nothing else is opened for longer than it takes to tell, and nothing is waited for.
fn read_file(path: &str) -> Result<String, String> {
    let text = |error: rustix::io::Errno| std::io::Error::from(error).to_string();
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = open(path, flags, Mode::empty()).map_err(text)?;
    if FileType::from_raw_mode(fstat(&file).map_err(text)?.st_mode) != FileType::RegularFile {
        return Err("it is no regular file".into());
    }
    let mut bytes = Vec::new();
    File::from(file).take(LARGEST_FILE + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() as u64 > LARGEST_FILE {
        return Err(format!("it is larger than {LARGEST_FILE} bytes"));
    }
    String::from_utf8(bytes).map_err(|_| "it is no UTF-8".into())
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test makes files")]
mod tests {
    use super::{Kind, Source};

    fn source(value: &str, variables: &[(&str, &str)]) -> Result<Source, String> {
        let of = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        Source::of(value, of)
    }

    fn read(value: &str) -> Result<String, String> {
        match source(value, &[])? {
            Source::Plan(text) => Ok(text),
            Source::Place(place) => place.read(),
        }
    }

    #[test]
    fn a_value_is_the_plan_itself_unless_it_names_a_source() {
        assert_eq!(read(" {\"version\":1} ").unwrap(), "{\"version\":1}");
        assert_eq!(read("not a plan").unwrap(), "not a plan");
        for unknown in [
            "ssm:/plan",
            "https://example.com",
            "file:",
            "appconfig:a/b",
            "appconfig:a/b/c/d",
            "appconfig:a//c",
            "parameter:",
            "parameter:/",
            "parameter:plan",
        ] {
            let said = source(unknown, &[]).unwrap_err();
            assert!(said.starts_with("FAULTLAYER_PLAN: expected the plan itself, `file:PATH`, "), "{unknown}: {said}");
        }
    }

    #[test]
    fn extensions_are_asked_at_their_ports_by_escaped_names() {
        let Ok(Source::Place(place)) = source("appconfig:my app/prod/a%b", &[]) else { panic!() };
        let Kind::AppConfig { port, path } = &place.kind else { panic!() };
        assert_eq!((*port, path.as_str()), (2772, "/applications/my%20app/environments/prod/configurations/a%25b"));
        assert!(place.is_there_at_init());

        let variables = [("PARAMETERS_SECRETS_EXTENSION_HTTP_PORT", "4000"), ("AWS_SESSION_TOKEN", "abc/+=")];
        let Ok(Source::Place(place)) = source("parameter:/faults/a b", &variables) else { panic!() };
        let Kind::Parameter { port, path, headers } = &place.kind else { panic!() };
        assert_eq!(*port, 4000);
        assert_eq!(path, "/systemsmanager/parameters/get?name=%2Ffaults%2Fa%20b&withDecryption=true");
        assert_eq!(headers, "X-Aws-Parameters-Secrets-Token: abc/+=\r\n");
        assert!(!place.is_there_at_init());

        let said = source("appconfig:a/b/c", &[("AWS_APPCONFIG_EXTENSION_HTTP_PORT", "0")]).unwrap_err();
        assert_eq!(said, "AWS_APPCONFIG_EXTENSION_HTTP_PORT: expected a port from 1 to 65535, got `0`");
        let Ok(Source::Place(place)) = source("parameter:/a", &[("AWS_SESSION_TOKEN", "a\r\nb")]) else { panic!() };
        assert!(matches!(&place.kind, Kind::Parameter { headers, .. } if headers.is_empty()));
    }

    #[test]
    fn only_a_regular_file_of_some_size_is_read_and_nothing_is_waited_for() {
        let folder = std::env::temp_dir().join(format!("faultlayer-source-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let at = |name: &str| format!("file:{}", folder.join(name).display());
        std::fs::write(folder.join("plan"), "{}").unwrap();
        std::fs::write(folder.join("large"), vec![b' '; (1 << 20) + 1]).unwrap();
        std::fs::write(folder.join("bytes"), [0xff]).unwrap();
        rustix::fs::mknodat(rustix::fs::CWD, folder.join("fifo"), super::FileType::Fifo, super::Mode::RWXU, 0).unwrap();
        assert_eq!(read(&at("plan")).unwrap(), "{}");
        let refused = |name: &str| read(&at(name)).unwrap_err();
        assert!(refused("fifo") == "it is no regular file");
        assert!(refused(".") == "it is no regular file");
        assert!(refused("large") == "it is larger than 1048576 bytes");
        assert!(refused("bytes") == "it is no UTF-8");
        assert!(read("file:/dev/zero").unwrap_err() == "it is no regular file");
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_missing_file_is_told() {
        assert!(read("file:/does/not/exist").unwrap_err().contains("No such file"));
    }
}
