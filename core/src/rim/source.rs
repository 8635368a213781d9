//! Where a layer's plan comes from: `FAULTLAYER_PLAN` holds the plan itself or `file:PATH`.

use std::fs::File;
use std::io::Read;

use rustix::fs::{FileType, Mode, OFlags, fstat, open};

use crate::record::OwnReason;

/// The most bytes that are read of a file: a plan of 100 faults takes some 20 KB.
const LARGEST_FILE: u64 = 1 << 20;

/// The text of the plan that `value` names.
///
/// # Errors
/// The reason for Faultlayer's own record, and its message.
pub fn read(value: &str) -> Result<String, (OwnReason, String)> {
    let value = value.trim();
    if let Some(path) = value.strip_prefix("file:") {
        return read_file(path)
            .map_err(|error| (OwnReason::PlanUnreadable, format!("cannot read the plan from `{path}`: {error}")));
    }
    // A scheme is a word before a colon; anything else is meant as JSON, and JSON's own errors tell more.
    let scheme = value.split_once(':').map(|(scheme, _)| scheme);
    match scheme.filter(|scheme| !scheme.is_empty() && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')) {
        Some(scheme) => {
            let message = format!("FAULTLAYER_PLAN: expected the plan itself or `file:PATH`, got the source `{scheme}:`");
            Err((OwnReason::PlanSourceUnknown, message))
        }
        None => Ok(value.to_owned()),
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
    use super::read;
    use crate::record::OwnReason;

    #[test]
    fn a_value_is_the_plan_itself_unless_it_names_a_source() {
        assert_eq!(read(" {\"version\":1} ").unwrap(), "{\"version\":1}");
        assert_eq!(read("not a plan").unwrap(), "not a plan");
        for source in ["ssm:/plan", "appconfig:a/b/c", "https://example.com"] {
            assert_eq!(read(source).unwrap_err().0, OwnReason::PlanSourceUnknown, "{source}");
        }
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
        let refused = |name: &str| read(&at(name)).unwrap_err().1;
        assert!(refused("fifo").ends_with(": it is no regular file"));
        assert!(refused(".").ends_with(": it is no regular file"));
        assert!(refused("large").ends_with(": it is larger than 1048576 bytes"));
        assert!(refused("bytes").ends_with(": it is no UTF-8"));
        assert!(read("file:/dev/zero").unwrap_err().1.ends_with(": it is no regular file"));
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_missing_file_is_named() {
        let (reason, message) = read("file:/does/not/exist").unwrap_err();
        assert_eq!(reason, OwnReason::PlanUnreadable);
        assert!(message.contains("/does/not/exist"), "{message}");
    }
}
