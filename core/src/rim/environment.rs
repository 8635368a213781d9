//! The environment that a layer reads, and who the function is by it.

use crate::variables::{
    APPCONFIG_PORT, EXECUTION_ENV, FUNCTION_NAME, FUNCTION_VERSION, MAX_CONCURRENCY, MEMORY_SIZE, PARAMETERS_PORT, RUNTIME_API,
};

/// The value of a variable; `None` if it is unset or no Unicode.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Whether the kill switch is on: any value but empty, `0` and `false`.
#[must_use]
pub fn is_disabled(value: Option<&str>) -> bool {
    !matches!(value, None | Some("" | "0" | "false"))
}

/// Who the function is, as far as it stays the same for an execution environment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// `AWS_LAMBDA_FUNCTION_NAME`.
    pub function_name: Option<String>,
    /// `AWS_LAMBDA_FUNCTION_VERSION`.
    pub function_version: Option<String>,
    /// `AWS_LAMBDA_FUNCTION_MEMORY_SIZE`, in MB.
    pub memory_mb: Option<u32>,
    /// As in `python3.12`, from `AWS_EXECUTION_ENV`; absent without it.
    pub runtime: Option<String>,
}

impl Identity {
    /// From the variables that Lambda sets.
    #[must_use]
    pub fn from_environment() -> Self {
        Self::from_variables(variable)
    }

    fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Self {
        let runtime = variable(EXECUTION_ENV).and_then(|name| name.strip_prefix("AWS_Lambda_").map(str::to_owned));
        Self {
            function_name: variable(FUNCTION_NAME),
            function_version: variable(FUNCTION_VERSION),
            memory_mb: variable(MEMORY_SIZE).and_then(|size| size.parse().ok()),
            runtime,
        }
    }
}

/// What else is there, read where the process begins: later, on a thread of ours, the function may be changing its variables.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// Address and port of the Runtime API, which nobody may hit.
    pub runtime_api: Option<String>,
    /// An execution environment serves several invocations at once.
    pub several_at_once: bool,
    /// Where extensions listen that a plan comes from, beside their usual ports.
    pub extension_ports: Vec<u16>,
}

impl Surroundings {
    /// From the variables that Lambda sets.
    #[must_use]
    pub fn from_environment() -> Self {
        let most = variable(MAX_CONCURRENCY).and_then(|most| most.parse::<u32>().ok());
        Self {
            runtime_api: variable(RUNTIME_API),
            several_at_once: most.is_some_and(|most| most > 1),
            extension_ports: [APPCONFIG_PORT, PARAMETERS_PORT]
                .into_iter()
                .filter_map(|name| variable(name)?.parse().ok())
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Identity, is_disabled};

    #[test]
    fn the_kill_switch_is_any_value_but_three() {
        assert!([None, Some(""), Some("0"), Some("false")].into_iter().all(|value| !is_disabled(value)));
        assert!([Some("1"), Some("true"), Some("no"), Some("False")].into_iter().all(is_disabled));
    }

    #[test]
    fn the_function_is_who_lambda_says() {
        let variables = |name: &str| {
            Some(
                match name {
                    "AWS_EXECUTION_ENV" => "AWS_Lambda_python3.12",
                    "AWS_LAMBDA_FUNCTION_NAME" => "checkout",
                    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE" => "256",
                    _ => return None,
                }
                .to_owned(),
            )
        };
        let identity = Identity::from_variables(variables);
        assert_eq!((identity.runtime.as_deref(), identity.memory_mb), (Some("python3.12"), Some(256)));
        assert_eq!((identity.function_name.as_deref(), identity.function_version), (Some("checkout"), None));
    }
}
