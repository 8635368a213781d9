//! Which functions an experiment is about, as the parameters of its automation say it.

use serde_json::{Value, json};

use crate::error::call;
use crate::view::{View, bare};
use crate::{Error, Experiments};

/// What an automation's parameters name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Aim {
    /// Functions, as they are written there; empty for a tag.
    pub functions: Vec<String>,
    /// Instead of functions: the key and the value of a tag that they have.
    pub tag: Option<(String, String)>,
    /// The alias by which they are called.
    pub alias: Option<String>,
}

impl Aim {
    /// From an action's `documentParameters`.
    #[must_use]
    pub fn of(parameters: &str) -> Self {
        let values: Value = serde_json::from_str(parameters).unwrap_or_default();
        let names = values.get("FunctionNames").and_then(Value::as_array);
        let word = |name: &str| values.get(name).and_then(Value::as_str).filter(|word| !word.is_empty()).map(str::to_owned);
        Self {
            functions: names.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect(),
            tag: word("TagKey").map(|key| (key, word("TagValue").unwrap_or_default())),
            alias: word("Alias"),
        }
    }

    /// Of several actions: what any of them names.
    pub(crate) fn of_all<'a>(parameters: impl Iterator<Item = &'a String>) -> Self {
        parameters.map(|parameters| Self::of(parameters)).fold(Self::default(), |mut all, one| {
            all.functions.extend(one.functions);
            Self { functions: all.functions, tag: all.tag.or(one.tag), alias: all.alias.or(one.alias) }
        })
    }
}

impl Experiments {
    /// What a template is about; of a tag, the functions that have it now. By their bare names.
    ///
    /// # Errors
    /// [`Error::Call`] for what AWS refuses.
    pub async fn aim(&self, template: &str) -> Result<Aim, Error> {
        let answer = self.fis.get_experiment_template().id(template).send().await.map_err(call("fis:GetExperimentTemplate"))?;
        let actions = answer.experiment_template().and_then(|template| template.actions());
        let given = actions.into_iter().flatten().filter_map(|(_, action)| action.parameters()?.get("documentParameters"));
        let aim = Aim::of_all(given);
        Ok(Aim { functions: self.named(&aim).await?, ..aim })
    }

    /// The functions of an experiment, by their bare names; of a tag, those that have it now.
    ///
    /// # Errors
    /// [`Error::Call`] for what AWS refuses.
    pub async fn functions(&self, view: &View) -> Result<Vec<String>, Error> {
        self.named(&view.aim).await
    }

    async fn named(&self, aim: &Aim) -> Result<Vec<String>, Error> {
        let Some((key, value)) = aim.tag.as_ref().filter(|_| aim.functions.is_empty()) else { return Ok(bare(&aim.functions)) };
        let filter = json!([{"Key": key, "Values": [value]}]);
        let input = json!({"ResourceTypeFilters": ["lambda:function"], "TagFilters": filter});
        let mut found = Vec::new();
        let take = |page: &Value| {
            let resources = page.get("ResourceTagMappingList").and_then(Value::as_array).into_iter().flatten();
            found.extend(resources.filter_map(|one| Some(one.get("ResourceARN")?.as_str()?.to_owned())));
            true
        };
        self.tagging.pages("tag:GetResources", input, "PaginationToken", take).await?;
        let mut names = bare(&found);
        names.sort();
        Ok(names)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_name_functions_or_a_tag_and_an_alias() {
        let aim = Aim::of(r#"{"FunctionNames":["a","b"],"Plan":"{}","Alias":"live"}"#);
        assert_eq!((aim.functions.len(), aim.tag, aim.alias.as_deref()), (2, None, Some("live")));
        let parameters = [r#"{"TagKey":"team","TagValue":"pay","FunctionNames":[]}"#.to_owned(), "no json".to_owned()];
        let aim = Aim::of_all(parameters.iter());
        assert_eq!(aim, Aim { tag: Some(("team".into(), "pay".into())), ..Aim::default() });
        assert_eq!(Aim::of(r#"{"TagKey":""}"#), Aim::default());
    }
}
