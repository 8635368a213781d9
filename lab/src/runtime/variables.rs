//! The environment variables that Lambda sets for every function.

use std::collections::BTreeMap;

use super::clients::Place;
use super::spec::FunctionSpec;

/// All variables of a process: Lambda's own, and the function's over them.
pub fn of(spec: &FunctionSpec, place: &Place, runtime_api: &str, log_stream: &str) -> BTreeMap<String, String> {
    let task = place.task.display();
    let opt = place.opt.display();
    let mut variables: BTreeMap<String, String> = [
        ("AWS_DEFAULT_REGION", spec.region.clone()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", spec.memory_mb.to_string()),
        ("AWS_LAMBDA_FUNCTION_NAME", spec.name.clone()),
        ("AWS_LAMBDA_FUNCTION_VERSION", spec.version.clone()),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".to_owned()),
        ("AWS_LAMBDA_LOG_GROUP_NAME", spec.log_group.clone()),
        ("AWS_LAMBDA_LOG_STREAM_NAME", log_stream.to_owned()),
        ("AWS_REGION", spec.region.clone()),
        ("AWS_XRAY_CONTEXT_MISSING", "LOG_ERROR".to_owned()),
        ("LANG", "en_US.UTF-8".to_owned()),
        ("LD_LIBRARY_PATH", format!("{task}:{task}/lib:{opt}/lib")),
        ("PATH", format!("/usr/local/bin:/usr/bin:/bin:{opt}/bin")),
        ("TZ", ":UTC".to_owned()),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect();
    for (name, value) in &spec.variables {
        // A plan is nobody's path, whatever its answers say.
        let text = if value.starts_with('{') { value.clone() } else { place.translate(value) };
        variables.insert(name.clone(), text);
    }
    // A function cannot set these, so they come last.
    for (name, value) in [
        ("AWS_EXECUTION_ENV", format!("AWS_Lambda_{}", spec.runtime)),
        ("AWS_LAMBDA_RUNTIME_API", runtime_api.to_owned()),
        ("LAMBDA_RUNTIME_DIR", place.runtime.display().to_string()),
        ("LAMBDA_TASK_ROOT", place.task.display().to_string()),
        ("_HANDLER", place.translate(&spec.handler)),
    ] {
        variables.insert(name.to_owned(), value);
    }
    if !place.isolated {
        variables.entry("TMPDIR".to_owned()).or_insert_with(|| place.tmp.display().to_string());
    }
    variables
}
