//! `faultlayer status`: what is attached to which functions, by whom and until when, and what executions are doing.

use std::io::Write;
use std::process::ExitCode;

use faultlayer_core::timestamp::Timestamp;
use faultlayer_ssm_documents::{Attached, Documents, Execution};

use super::follow::{Following, follow};
use super::{Common, block_on, now, words};
use crate::Outcome;

/// The arguments of `faultlayer status`.
#[derive(clap::Args)]
pub struct Args {
    /// An execution's id, or a function by name or ARN; without either, what is attached and the latest executions
    #[arg(value_name = "EXECUTION|FUNCTION")]
    what: Option<String>,
    /// Watch the execution to its end
    #[arg(long, requires = "what")]
    watch: bool,
    /// Cancel the execution: what it attached is taken off
    #[arg(long, requires = "what")]
    cancel: bool,
    #[command(flatten)]
    common: Common,
}

/// Shows what is attached, or an execution.
pub fn status(args: Args) -> Outcome {
    block_on(async {
        let documents = args.common.connect().await;
        match &args.what {
            Some(id) if is_execution(id) => one(&documents, id, &args).await,
            Some(function) if args.watch || args.cancel => {
                Err(format!("execution: expected an execution's id, got `{function}`").into())
            }
            Some(function) => {
                let names = documents.functions(std::slice::from_ref(function)).await?;
                let mut attached = documents.attached().await?;
                attached.retain(|one| one.functions.iter().any(|name| names.contains(name)));
                show(&attached, &[], &args.common)?;
                Ok(ExitCode::SUCCESS)
            }
            None => {
                let (attached, executions) = (documents.attached().await?, documents.recent(20).await?);
                show(&attached, &executions, &args.common)?;
                Ok(ExitCode::SUCCESS)
            }
        }
    })?
}

/// Whether a text has the form of an execution's id; a function's name of that form would be a strange one.
fn is_execution(text: &str) -> bool {
    let groups: Vec<_> = text.split('-').map(str::len).collect();
    groups == [8, 4, 4, 4, 12] && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

async fn one(documents: &Documents, id: &str, args: &Args) -> Outcome {
    if args.cancel {
        documents.cancel(id).await?;
    }
    if args.watch || args.cancel {
        let following = Following { wait: true, cancel: false };
        return Ok(follow(documents, id, &following, &args.common).await?.status());
    }
    let execution = documents.execution(id).await?;
    let mut out = std::io::stdout().lock();
    if args.common.json {
        writeln!(out, "{}", words::json(&execution))?;
    } else {
        writeln!(out, "{}  {}  {}", execution.id, execution.document, execution.status)?;
        for step in &execution.steps {
            writeln!(out, "{}", words::line(&execution, step, now()))?;
        }
        write!(out, "{}", words::ending(&execution))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What is attached, then the executions. As JSON, a line each: those attached have `attached`, `functions`, `experiment`, `until`.
fn show(attached: &[Attached], executions: &[Execution], common: &Common) -> Result<(), std::io::Error> {
    let mut out = std::io::stdout().lock();
    let others = executions.iter().filter(|execution| attached.iter().all(|one| one.id != execution.id));
    if common.json {
        for one in attached {
            let mut value = one.execution.as_ref().map_or_else(|| serde_json::json!({"id": one.id}), words::json);
            if let (Some(fields), serde_json::Value::Object(more)) = (value.as_object_mut(), facts(one)) {
                fields.extend(more);
            }
            writeln!(out, "{value}")?;
        }
        for execution in others {
            let mut value = words::json(execution);
            if let Some(fields) = value.as_object_mut() {
                fields.insert("attached".into(), false.into());
            }
            writeln!(out, "{value}")?;
        }
        return Ok(());
    }
    if attached.is_empty() {
        writeln!(out, "nothing is attached")?;
    }
    for one in attached {
        writeln!(out, "{}", line(one, now()))?;
        writeln!(out, "  roll back with: {}", common.command(&format!("rollback --execution {}", one.id)))?;
    }
    for Execution { id, document, status, started, .. } in others {
        writeln!(out, "{id}  {document:<24}  {status:<12}  {started}")?;
    }
    Ok(())
}

fn facts(one: &Attached) -> serde_json::Value {
    let output = |name: &str| one.execution.as_ref().and_then(|execution| execution.output(name));
    serde_json::json!({
        "attached": true, "functions": one.functions, "experiment": output("Experiment"), "until": output("Until"),
    })
}

/// `hello, payments: attached by execution ID (checkout-latency) until …`.
fn line(one: &Attached, now: Timestamp) -> String {
    let output = |name: &str| one.execution.as_ref().and_then(|execution| execution.output(name));
    let experiment = output("Experiment").map(|name| format!(" (`{name}`)")).unwrap_or_default();
    let until = match output("Until") {
        Some("never") => ", the plan never expires".to_owned(),
        Some(until) => format!(" until {until}{}", words::left(until, now)),
        None => String::new(),
    };
    format!("{}: attached by execution {}{experiment}{until}", one.functions.join(", "), one.id)
}

#[cfg(test)]
mod tests {
    use super::is_execution;

    #[test]
    fn an_execution_is_told_from_a_function() {
        assert!(is_execution("61849e91-6816-46d1-8bcd-0123456789ab"));
        for function in ["hello", "my-func-with-five-parts", "arn:aws:lambda:us-east-1:123456789012:function:hello"] {
            assert!(!is_execution(function), "{function}");
        }
    }
}
