//! Request rates. Token buckets, one a group of operations that AWS counts together, each holding one second's worth.

use std::collections::HashMap;
use std::time::Instant;

use super::error::ApiError;

/// The buckets' fill.
#[derive(Debug, Default)]
pub struct Rates {
    buckets: HashMap<&'static str, (f64, Instant)>,
}

/// The group of an operation and its requests a second.
fn group(service: &str, operation: &str) -> Option<(&'static str, f64)> {
    match (service, operation) {
        ("lambda", "Invoke") => None,
        ("lambda", "GetFunction") => Some(("lambda:GetFunction", 100.0)),
        ("lambda", _) => Some(("lambda:control-plane", 15.0)),
        ("ssm", "PutParameter") => Some(("ssm:PutParameter", 3.0)),
        ("ssm", "DeleteParameter" | "DeleteParameters") => Some(("ssm:DeleteParameter", 3.0)),
        ("ssm", "GetParameter" | "GetParameters" | "GetParametersByPath") => Some(("ssm:GetParameter", 40.0)),
        ("ssm", "StartAutomationExecution") => Some(("ssm:StartAutomationExecution", 1.0)),
        ("ssm", "StopAutomationExecution") => Some(("ssm:StopAutomationExecution", 1.0)),
        ("ssm", "GetAutomationExecution") => Some(("ssm:GetAutomationExecution", 3.0)),
        ("ssm", "DescribeAutomationExecutions") => Some(("ssm:DescribeAutomationExecutions", 3.0)),
        ("ssm", "DescribeAutomationStepExecutions") => Some(("ssm:DescribeAutomationStepExecutions", 3.0)),
        ("resourcegroupstaggingapi", _) => Some(("tagging:GetResources", 15.0)),
        _ => None,
    }
}

/// What a service answers when there are too many requests.
pub fn throttled(service: &str) -> ApiError {
    match service {
        "lambda" => ApiError::new("TooManyRequestsException", 429, "Rate exceeded"),
        _ => ApiError::bad("ThrottlingException", "Rate exceeded"),
    }
}

impl Rates {
    /// Takes one request's token, with every rate multiplied by `factor` (0: unlimited).
    pub fn take(&mut self, service: &str, operation: &str, factor: f64) -> Result<(), ApiError> {
        let Some((name, rate)) = group(service, operation).filter(|_| factor > 0.0) else {
            return Ok(());
        };
        let rate = rate * factor;
        let full = rate.max(1.0);
        let now = Instant::now();
        let (tokens, last) = self.buckets.entry(name).or_insert((full, now));
        *tokens = (*tokens + now.duration_since(*last).as_secs_f64() * rate).min(full);
        *last = now;
        if *tokens < 1.0 {
            return Err(throttled(service));
        }
        *tokens -= 1.0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many of many requests at once get through.
    fn burst(rates: &mut Rates, service: &str, operation: &str) -> usize {
        (0..500).filter(|_| rates.take(service, operation, 1.0).is_ok()).count()
    }

    #[test]
    fn one_seconds_worth_at_once() {
        let mut rates = Rates::default();
        let groups = [
            ("lambda", "GetFunction", 100),
            ("lambda", "UpdateFunctionConfiguration", 15),
            ("ssm", "PutParameter", 3),
            ("ssm", "DeleteParameters", 3),
            ("ssm", "GetParametersByPath", 40),
            ("ssm", "StartAutomationExecution", 1),
            ("ssm", "StopAutomationExecution", 1),
            ("ssm", "GetAutomationExecution", 3),
            ("ssm", "DescribeAutomationStepExecutions", 3),
            ("lambda", "Invoke", 500),
            ("ssm", "CreateDocument", 500),
        ];
        for (service, operation, wanted) in groups {
            let passed = burst(&mut rates, service, operation);
            // A slow machine may earn a few tokens in between.
            assert!((wanted..=wanted + wanted / 10 + 1).contains(&passed), "{operation}: {passed}");
        }
    }

    #[test]
    fn the_control_plane_counts_together_and_get_function_apart() {
        let mut rates = Rates::default();
        burst(&mut rates, "lambda", "ListTags");
        assert!(rates.take("lambda", "UpdateAlias", 1.0).is_err());
        assert!(rates.take("lambda", "GetFunction", 1.0).is_ok());
        assert!(rates.take("lambda", "UpdateAlias", 0.0).is_ok());
        let answer = rates.take("lambda", "PublishVersion", 1.0);
        assert_eq!(answer.map_err(|error| (error.code, error.status)), Err(("TooManyRequestsException".into(), 429)));
    }
}
