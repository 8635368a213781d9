//! Registering: the shipped JSON, with the layers' ARNs and the roll-back's name as defaults, under the prefix's names.

use aws_sdk_ssm::types::{DocumentFormat, DocumentType};
use serde_json::Value;

use crate::error::call;
use crate::{Documents, Error};

const SHIPPED: [(&str, &str); 4] = [
    ("Attach", include_str!("../Faultlayer-Attach.json")),
    ("Rollback", include_str!("../Faultlayer-Rollback.json")),
    ("Experiment", include_str!("../Faultlayer-Experiment.json")),
    ("Change", include_str!("../Faultlayer-Change.json")),
];

/// A shipped document's JSON text: `Attach`, `Rollback`, `Experiment` or `Change`.
#[must_use]
pub fn shipped(document: &str) -> Option<&'static str> {
    SHIPPED.iter().find(|(name, _)| *name == document).map(|(_, text)| *text)
}

/// ARNs of layer versions, by document parameter (`PythonLayerX8664`, `NodeLayerArm64`, …).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Layers(Vec<(String, String)>);

impl Layers {
    /// Adds `RUNTIME-ARCHITECTURE=ARN`, as in `python-x86_64=arn:aws:lambda:…`.
    ///
    /// # Errors
    /// [`Error::Input`] for any other text.
    pub fn add(&mut self, text: &str) -> Result<(), Error> {
        let parameter = text.split_once('=').and_then(|(key, arn)| {
            let parameter = match key {
                "python-x86_64" => "PythonLayerX8664",
                "python-arm64" => "PythonLayerArm64",
                "node-x86_64" => "NodeLayerX8664",
                "node-arm64" => "NodeLayerArm64",
                "java-x86_64" => "JavaLayerX8664",
                "java-arm64" => "JavaLayerArm64",
                _ => return None,
            };
            arn.starts_with("arn:").then(|| (parameter.to_owned(), arn.to_owned()))
        });
        self.0.push(parameter.ok_or_else(|| {
            Error::Input(format!("layer: expected `RUNTIME-ARCHITECTURE=ARN`, as in `python-x86_64=arn:…`, got `{text}`"))
        })?);
        Ok(())
    }

    /// Parameter and ARN of each.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(parameter, arn)| (parameter.as_str(), arn.as_str()))
    }
}

/// What registering did to a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Registered {
    /// It was not there.
    Created,
    /// A new version is the default now.
    Updated,
    /// It says this already.
    Unchanged,
}

impl Documents {
    /// Creates or updates the documents; name and outcome of each. Where a document exists, the layers and the role
    /// it has as defaults stay unless others are given. Scripts have no rights without a role.
    ///
    /// # Errors
    /// [`Error::Call`] for what AWS refuses.
    pub async fn register(&self, layers: &Layers, role: Option<&str>) -> Result<Vec<(String, Registered)>, Error> {
        let mut done = Vec::new();
        for (document, text) in SHIPPED {
            let name = self.name(document);
            let before = self.content(&name).await?;
            let content = self.filled(text, before.as_deref(), layers, role)?;
            let outcome = match before {
                None => self.create(&name, content).await?,
                Some(before) if same(&before, &content) => Registered::Unchanged,
                Some(_) => self.update(&name, content).await?,
            };
            done.push((name, outcome));
        }
        Ok(done)
    }

    /// The registered document's JSON, if there is one.
    async fn content(&self, name: &str) -> Result<Option<String>, Error> {
        match self.client.get_document().name(name).document_format(DocumentFormat::Json).send().await {
            Ok(answer) => Ok(answer.content().map(str::to_owned)),
            Err(error) if error.as_service_error().is_some_and(|error| error.is_invalid_document()) => Ok(None),
            Err(error) => Err(call("GetDocument")(error)),
        }
    }

    fn filled(&self, text: &str, before: Option<&str>, layers: &Layers, role: Option<&str>) -> Result<String, Error> {
        let unreadable = |error: serde_json::Error| Error::Input(format!("document: {error}"));
        let mut document: Value = serde_json::from_str(text).map_err(unreadable)?;
        let before: Value = before.and_then(|before| serde_json::from_str(before).ok()).unwrap_or_default();
        if let Some(parameters) = document.get_mut("parameters").and_then(Value::as_object_mut) {
            for (name, parameter) in parameters {
                let given = match name.as_str() {
                    "RollbackDocumentName" => Some(self.name("Rollback")),
                    "Stack" => Some(self.prefix.clone()),
                    "AutomationAssumeRole" => role.map(str::to_owned),
                    _ => layers.iter().filter(|(key, _)| key == name).last().map(|(_, arn)| arn.to_owned()),
                };
                let kept = name.contains("Layer") || name == "AutomationAssumeRole";
                let old = before.pointer(&format!("/parameters/{name}/default")).filter(|_| kept);
                let default = given.map(Value::from).or_else(|| old.cloned());
                if let (Some(default), Some(parameter)) = (default, parameter.as_object_mut()) {
                    parameter.insert("default".into(), default);
                }
            }
        }
        serde_json::to_string(&document).map_err(unreadable)
    }

    async fn create(&self, name: &str, content: String) -> Result<Registered, Error> {
        let request = self.client.create_document().name(name).content(content);
        request
            .document_type(DocumentType::Automation)
            .document_format(DocumentFormat::Json)
            .send()
            .await
            .map_err(call("CreateDocument"))?;
        Ok(Registered::Created)
    }

    async fn update(&self, name: &str, content: String) -> Result<Registered, Error> {
        let request = self.client.update_document().name(name).content(content).document_version("$LATEST");
        let version = match request.document_format(DocumentFormat::Json).send().await {
            Ok(answer) => answer.document_description().and_then(|about| about.document_version()).map(str::to_owned),
            Err(error) if error.as_service_error().is_some_and(|error| error.is_duplicate_document_content()) => {
                return Ok(Registered::Unchanged);
            }
            Err(error) => return Err(call("UpdateDocument")(error)),
        };
        let version = version.ok_or_else(|| Error::Input(format!("UpdateDocument: no version of `{name}` in the answer")))?;
        let request = self.client.update_document_default_version().name(name).document_version(version);
        request.send().await.map_err(call("UpdateDocumentDefaultVersion"))?;
        Ok(Registered::Updated)
    }
}

/// Whether two texts are the same JSON.
fn same(left: &str, right: &str) -> bool {
    serde_json::from_str::<Value>(left)
        .ok()
        .is_some_and(|left| serde_json::from_str(right).is_ok_and(|right: Value| left == right))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn documents_are_filled_with_layers_and_the_prefix() {
        let documents = Documents::connect("Stack").await;
        let mut layers = Layers::default();
        for key in ["python-x86_64", "python-arm64", "node-x86_64", "node-arm64", "java-x86_64", "java-arm64"] {
            layers.add(&format!("{key}=arn:aws-us-gov:lambda:us-gov-west-1:123456789012:layer:faultlayer-{key}:3")).unwrap();
        }
        let first =
            documents.filled(shipped("Attach").unwrap(), None, &layers, Some("arn:aws:iam::123456789012:role/r")).unwrap();
        let value: Value = serde_json::from_str(&first).unwrap();
        let default = |name: &str| value.pointer(&format!("/parameters/{name}/default")).unwrap().as_str().unwrap().to_owned();
        assert!(
            default("PythonLayerX8664").ends_with("-python-x86_64:3") && default("NodeLayerArm64").ends_with("-node-arm64:3")
        );
        assert_eq!(default("RollbackDocumentName"), "Stack-Rollback");
        assert_eq!(default("AutomationAssumeRole"), "arn:aws:iam::123456789012:role/r");
        assert!(first.len() <= 64 * 1024);
        let again = documents.filled(shipped("Attach").unwrap(), Some(&first), &Layers::default(), None).unwrap();
        assert!(same(&first, &again));
    }

    #[test]
    fn a_layer_is_a_runtime_an_architecture_and_an_arn() {
        for text in ["python=arn:x", "python-x86_64", "python-x86_64=x", "go-arm64=arn:x"] {
            assert!(Layers::default().add(text).unwrap_err().to_string().contains(text));
        }
    }
}
