//! Function names and ARNs as people give them. All that an ARN says must be true of where the command works: an ARN of
//! another account must not hit one's own function of that name.

use crate::error::call;
use crate::{Documents, Error};

/// What a name or an ARN says.
#[derive(Debug, Default, PartialEq, Eq)]
struct Given<'a> {
    partition: Option<&'a str>,
    region: Option<&'a str>,
    account: Option<&'a str>,
    name: &'a str,
    qualifier: Option<&'a str>,
}

/// Reads `NAME`, `ACCOUNT:function:NAME` or a whole ARN, each with a version or alias behind it or without.
fn read(text: &str) -> Option<Given<'_>> {
    let parts: Vec<_> = text.trim().split(':').collect();
    let (given, rest) = match parts.as_slice() {
        ["arn", partition, "lambda", region, account, "function", name, rest @ ..] => {
            (Given { partition: Some(partition), region: Some(region), account: Some(account), name, qualifier: None }, rest)
        }
        [account, "function", name, rest @ ..] => (Given { account: Some(account), name, ..Given::default() }, rest),
        [name, rest @ ..] => (Given { name, ..Given::default() }, rest),
        [] => return None,
    };
    let qualifier = match rest {
        [] => None,
        [qualifier] => Some(*qualifier),
        _ => return None,
    };
    let plain = |char: char| char.is_ascii_alphanumeric() || "-_".contains(char);
    let good = (1..=64).contains(&given.name.len()) && given.name.chars().all(plain);
    let account = given.account.is_none_or(|account| account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit()));
    (good && account).then_some(Given { qualifier, ..given })
}

impl Documents {
    /// The names of functions that were given by name or ARN.
    ///
    /// # Errors
    /// [`Error::Input`] for a text that is neither, for an ARN of another account, region or partition, and for a version or
    /// an alias; [`Error::Call`] where the account cannot be told.
    pub async fn functions(&self, given: &[String]) -> Result<Vec<String>, Error> {
        let mut own = None;
        let mut names = Vec::new();
        for text in given {
            let refuse = |why: String| Err(Error::Input(format!("functions: `{text}`: {why}")));
            let Some(given) = read(text) else { return refuse("expected a function's name or ARN".into()) };
            if let Some(qualifier) = given.qualifier.filter(|qualifier| *qualifier != "$LATEST") {
                return refuse(format!("names the version or alias `{qualifier}`; give the function, and `--alias`"));
            }
            if let Some(region) = given.region.filter(|region| *region != self.region) {
                return refuse(format!("is in `{region}`, this command works in `{}`; set `AWS_REGION`", self.region));
            }
            if given.account.is_some() && own.is_none() {
                own = Some(self.account().await?);
            }
            if let Some((partition, account)) = &own {
                for (what, said, own) in [("account", given.account, account), ("partition", given.partition, partition)] {
                    if let Some(said) = said.filter(|said| said != own) {
                        return refuse(format!(
                            "is in {what} `{said}`, the credentials at work are of `{own}`; set `AWS_PROFILE`"
                        ));
                    }
                }
            }
            if !names.iter().any(|name| name == given.name) {
                names.push(given.name.to_owned());
            }
        }
        Ok(names)
    }

    /// The partition and the account of the credentials at work.
    async fn account(&self) -> Result<(String, String), Error> {
        let answer = self.sts.get_caller_identity().send().await.map_err(call("GetCallerIdentity"))?;
        let partition = answer.arn().and_then(|arn| arn.split(':').nth(1)).unwrap_or_default();
        Ok((partition.to_owned(), answer.account().unwrap_or_default().to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::{Given, read};

    #[test]
    fn a_name_an_arn_and_what_begins_with_the_account_are_read() {
        assert_eq!(read("hello"), Some(Given { name: "hello", ..Given::default() }));
        let partial = read("123456789012:function:hello:$LATEST").unwrap();
        assert_eq!((partial.account, partial.name, partial.qualifier), (Some("123456789012"), "hello", Some("$LATEST")));
        let whole = read("arn:aws-cn:lambda:cn-north-1:123456789012:function:hello:live").unwrap();
        assert_eq!((whole.partition, whole.region, whole.qualifier), (Some("aws-cn"), Some("cn-north-1"), Some("live")));
    }

    #[test]
    fn what_is_no_function_is_not_read() {
        for text in
            ["", "a b", "arn:aws:s3:::bucket", "1234:function:x", "a:b:c", "arn:aws:lambda:us-east-1:123456789012:layer:x:1"]
        {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
