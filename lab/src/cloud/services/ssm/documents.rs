//! Automation documents: CreateDocument, UpdateDocument, UpdateDocumentDefaultVersion, GetDocument, DescribeDocument,
//! ListDocuments, ListDocumentVersions, DeleteDocument. Their content is checked when it comes in.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::automation::document;
use super::parameters::bad_token;
use super::{Ssm, Tables};
use crate::cloud::call::ApiError;
use crate::cloud::clock;
use crate::cloud::services::members::{list as items, page, tag_list, tags, text, texts, with};
use crate::cloud::state::Row;

/// A document with all its versions.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Document {
    /// Its name.
    pub name: String,
    /// Its versions' content and the time each was made.
    pub versions: BTreeMap<u64, (String, i64)>,
    /// The default version.
    pub default: u64,
    /// Its tags.
    pub tags: Map<String, Value>,
    /// `/AWS::Lambda::Function` or such.
    pub target: Option<String>,
}

impl Row for Document {
    const TABLE: &'static str = "documents";

    fn key(&self) -> &str {
        &self.name
    }
}

impl Document {
    fn latest(&self) -> u64 {
        self.versions.last_key_value().map_or(0, |(number, _)| *number)
    }

    /// The number and content of a version as requests name it.
    pub fn version(&self, wanted: Option<&str>) -> Result<(u64, &str), ApiError> {
        let number = match wanted {
            None | Some("$DEFAULT") => self.default,
            Some("$LATEST") => self.latest(),
            Some(number) => number.parse().unwrap_or(0),
        };
        let found = self.versions.get(&number).map(|(content, _)| (number, content.as_str()));
        found.ok_or_else(|| {
            ApiError::bad(
                "InvalidDocumentVersion",
                format!("The document version {} of {} is not valid or does not exist.", wanted.unwrap_or("$DEFAULT"), self.name),
            )
        })
    }
}

/// A name from a name or an ARN.
pub fn bare(given: &str) -> &str {
    given
        .rsplit_once(":document/")
        .or_else(|| given.rsplit_once(":automation-definition/"))
        .map_or(given, |(_, tail)| tail.split(':').next().unwrap_or(tail))
}

/// The document of a name.
pub fn find<'a>(tables: &'a Tables, given: &str) -> Result<&'a Document, ApiError> {
    let name = bare(given);
    tables
        .documents
        .get(name)
        .ok_or_else(|| ApiError::bad("InvalidDocument", format!("Document with name {name} does not exist.")))
}

fn check(input: &Value) -> Result<String, ApiError> {
    let content = text(input, "Content").unwrap_or_default();
    if content.len() > 65_536 {
        return Err(ApiError::bad("MaxDocumentSizeExceeded", "The size limit of a document is 64 KB."));
    }
    let format = text(input, "DocumentFormat").unwrap_or("JSON");
    if format != "JSON" {
        return Err(ApiError::bad("InvalidDocumentContent", format!("the lab takes documents in JSON, got `{format}`")));
    }
    document::Document::parse(content).map_err(|message| ApiError::bad("InvalidDocumentContent", message))?;
    Ok(content.to_owned())
}

fn description(ssm: &Ssm, document: &Document, number: u64) -> Value {
    let (content, created) = document.versions.get(&number).map_or(("{}", 0), |(content, created)| (content.as_str(), *created));
    let parsed: Value = serde_json::from_str(content).unwrap_or_default();
    let parameters: Vec<Value> = parsed
        .get("parameters")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .map(|(name, parameter)| {
            let mut row = json!({
                "Name": name, "Type": if parameter["type"] == "StringList" { "StringList" } else { "String" },
                "Description": parameter["description"].as_str().unwrap_or_default(),
            });
            if let (Some(fields), Some(default)) = (row.as_object_mut(), parameter.get("default")) {
                let shown = default.as_str().map_or_else(|| default.to_string(), str::to_owned);
                fields.insert("DefaultValue".into(), json!(shown));
            }
            row
        })
        .collect();
    let hash: String = Sha256::digest(content.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    json!({
        "Hash": hash, "HashType": "Sha256", "Name": document.name, "Owner": ssm.site.place.account,
        "CreatedDate": clock::seconds(created), "Status": "Active", "DocumentVersion": number.to_string(),
        "Description": text(&parsed, "description").unwrap_or_default(), "Parameters": parameters,
        "PlatformTypes": ["Windows", "Linux", "MacOS"], "DocumentType": "Automation", "SchemaVersion": "0.3",
        "LatestVersion": document.latest().to_string(), "DefaultVersion": document.default.to_string(),
        "DocumentFormat": "JSON", "Tags": tag_list(&document.tags),
    })
}

/// CreateDocument.
pub fn create(ssm: &Ssm, input: &Value) -> Result<Value, ApiError> {
    let name = text(input, "Name").unwrap_or_default().to_owned();
    if !matches!(text(input, "DocumentType"), Some("Automation")) {
        return Err(ApiError::bad("InvalidDocumentType", "the lab serves documents of type `Automation` only"));
    }
    let lower = name.to_ascii_lowercase();
    if ["aws", "amazon", "amzn"].iter().any(|prefix| lower.starts_with(prefix)) {
        return Err(ApiError::validation(format!("Document name {name} is reserved.")));
    }
    let content = check(input)?;
    ssm.tables(|tables| {
        if tables.documents.contains_key(&name) {
            return Err(ApiError::bad("DocumentAlreadyExists", format!("Document with same name {name} already exists")));
        }
        let document = Document {
            name: name.clone(),
            versions: BTreeMap::from([(1, (content, clock::now_ms()))]),
            default: 1,
            tags: tags(input, "Tags"),
            target: text(input, "TargetType").map(str::to_owned),
        };
        let answer = description(ssm, &document, 1);
        tables.documents.put(document)?;
        Ok(json!({"DocumentDescription": answer}))
    })
}

/// UpdateDocument: a new version, which is not the default yet.
pub fn update(ssm: &Ssm, input: &Value) -> Result<Value, ApiError> {
    let name = text(input, "Name").unwrap_or_default();
    let content = check(input)?;
    ssm.tables(|tables| {
        let mut document = find(tables, name)?.clone();
        let base = document.version(text(input, "DocumentVersion"))?.0;
        if base != document.latest() {
            return Err(ApiError::bad("InvalidDocumentVersion", "The document version is not the latest; use $LATEST."));
        }
        if document.versions.values().any(|(had, _)| *had == content) {
            return Err(ApiError::bad(
                "DuplicateDocumentContent",
                "The content of the association document matches another document. Change the content of the document and try again.",
            ));
        }
        let number = document.latest() + 1;
        document.versions.insert(number, (content, clock::now_ms()));
        let answer = description(ssm, &document, number);
        tables.documents.put(document)?;
        Ok(json!({"DocumentDescription": answer}))
    })
}

/// UpdateDocumentDefaultVersion.
pub fn set_default(ssm: &Ssm, input: &Value) -> Result<Value, ApiError> {
    let name = text(input, "Name").unwrap_or_default();
    let version = text(input, "DocumentVersion").unwrap_or_default();
    ssm.tables(|tables| {
        let mut document = find(tables, name)?.clone();
        let number = document.version(Some(version))?.0;
        document.default = number;
        tables.documents.put(document)?;
        Ok(json!({"Description": {"Name": bare(name), "DefaultVersion": number.to_string()}}))
    })
}

/// GetDocument.
pub fn get(ssm: &Ssm, input: &Value) -> Result<Value, ApiError> {
    ssm.tables(|tables| {
        let document = find(tables, text(input, "Name").unwrap_or_default())?;
        let (number, content) = document.version(text(input, "DocumentVersion"))?;
        let created = document.versions.get(&number).map_or(0, |(_, created)| *created);
        Ok(json!({
            "Name": document.name, "CreatedDate": clock::seconds(created), "DocumentVersion": number.to_string(), "Status": "Active",
            "Content": content, "DocumentType": "Automation", "DocumentFormat": "JSON", "AttachmentsContent": [],
        }))
    })
}

/// DescribeDocument.
pub fn describe(ssm: &Ssm, input: &Value) -> Result<Value, ApiError> {
    ssm.tables(|tables| {
        let document = find(tables, text(input, "Name").unwrap_or_default())?;
        let number = document.version(text(input, "DocumentVersion"))?.0;
        Ok(json!({"Document": description(ssm, document, number)}))
    })
}

/// ListDocuments; the filters `Name` (a prefix), `Owner` and `DocumentType` are honoured.
pub fn list(ssm: &Ssm, input: &Value) -> Result<Value, ApiError> {
    let filters: Vec<&Value> = items(input, "Filters").collect();
    let fits = |document: &Document| {
        filters.iter().all(|filter| {
            let values: Vec<&str> = texts(filter, "Values").collect();
            match text(filter, "Key") {
                Some("Name") => values.iter().any(|value| document.name.starts_with(value)),
                Some("DocumentType") => values.contains(&"Automation"),
                Some("Owner") => values.iter().any(|value| matches!(*value, "Self" | "All") || *value == ssm.site.place.account),
                _ => true,
            }
        })
    };
    let rows: Vec<Value> = ssm.tables(|tables| {
        let row = |document: &Document| {
            let mut row = description(ssm, document, document.default);
            if let Some(fields) = row.as_object_mut() {
                let shown = [
                    "Name",
                    "CreatedDate",
                    "Owner",
                    "PlatformTypes",
                    "DocumentVersion",
                    "DocumentType",
                    "SchemaVersion",
                    "DocumentFormat",
                    "Tags",
                ];
                fields.retain(|name, _| shown.contains(&name.as_str()));
            }
            row
        };
        tables.documents.values().filter(|document| fits(document)).map(row).collect()
    });
    let most = input.get("MaxResults").and_then(Value::as_u64);
    let (rows, next) = page(rows, text(input, "NextToken"), most, 50).map_err(bad_token)?;
    Ok(with(json!({"DocumentIdentifiers": rows}), "NextToken", next))
}

/// ListDocumentVersions.
pub fn versions(ssm: &Ssm, input: &Value) -> Result<Value, ApiError> {
    let rows: Vec<Value> = ssm.tables(|tables| {
        let document = find(tables, text(input, "Name").unwrap_or_default())?;
        let row = |(number, (_, created)): (&u64, &(String, i64))| {
            json!({
                "Name": document.name, "DocumentVersion": number.to_string(), "CreatedDate": clock::seconds(*created),
                "IsDefaultVersion": *number == document.default, "DocumentFormat": "JSON", "Status": "Active",
            })
        };
        Ok::<_, ApiError>(document.versions.iter().map(row).collect())
    })?;
    let most = input.get("MaxResults").and_then(Value::as_u64);
    let (rows, next) = page(rows, text(input, "NextToken"), most, 50).map_err(bad_token)?;
    Ok(with(json!({"DocumentVersions": rows}), "NextToken", next))
}

/// DeleteDocument.
pub fn delete(ssm: &Ssm, input: &Value) -> Result<Value, ApiError> {
    let name = text(input, "Name").unwrap_or_default();
    ssm.tables(|tables| {
        find(tables, name)?;
        tables.documents.remove(bare(name))?;
        Ok(json!({}))
    })
}
