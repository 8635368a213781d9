//! Systems Manager: parameters, documents and the API of Automation.
//!
//! - [`parameters`], [`documents`], [`tags`]: what is kept.
//! - [`executions`]: starting, stopping and describing executions; the engine itself is [`super::automation`].

pub mod documents;
pub mod executions;
pub mod parameters;
pub mod tags;

use std::sync::Arc;

use serde_json::Value;

use super::error::ApiError;
use super::lab::Lab;
use super::principal::Principal;
use super::wire::Request;

/// One operation.
pub fn operate(lab: &Arc<Lab>, request: &Request, who: &Principal) -> Result<Value, ApiError> {
    let input = &request.input;
    match request.operation {
        "PutParameter" => parameters::put(lab, input),
        "GetParameter" => parameters::get(lab, input),
        "GetParameters" => parameters::get_many(lab, input),
        "GetParametersByPath" => parameters::by_path(lab, input),
        "DescribeParameters" => parameters::describe(lab, input),
        "DeleteParameter" => parameters::delete(lab, input),
        "DeleteParameters" => parameters::delete_many(lab, input),
        "AddTagsToResource" => tags::add(lab, input),
        "RemoveTagsFromResource" => tags::remove(lab, input),
        "ListTagsForResource" => tags::list(lab, input),
        "CreateDocument" => documents::create(lab, input),
        "UpdateDocument" => documents::update(lab, input),
        "UpdateDocumentDefaultVersion" => documents::set_default(lab, input),
        "GetDocument" => documents::get(lab, input),
        "DescribeDocument" => documents::describe(lab, input),
        "ListDocuments" => documents::list(lab, input),
        "ListDocumentVersions" => documents::versions(lab, input),
        "DeleteDocument" => documents::delete(lab, input),
        "StartAutomationExecution" => executions::start(lab, input, who),
        "StopAutomationExecution" => executions::stop(lab, input),
        "GetAutomationExecution" => executions::get(lab, input),
        "DescribeAutomationExecutions" => executions::list(lab, input),
        "DescribeAutomationStepExecutions" => executions::steps(lab, input),
        other => Err(ApiError::bad("UnknownOperationException", format!("the lab does not serve `{other}`"))),
    }
}
