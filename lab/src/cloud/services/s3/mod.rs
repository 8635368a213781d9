//! S3: buckets and objects, as much as deployments need.
//!
//! - [`buckets`], [`object`]: what is kept of them.  [`data`]: their bytes, in files.
//! - [`objects`]: put, read, copy, delete.  [`listing`]: lists of objects and versions.  [`uploads`]: uploads in parts.
//! - [`conditions`]: preconditions and ranges.  [`checksums`]: what clients send along and ask back.  [`access`]: ARNs and permissions.
//! - [`refusals`]: S3's errors, and what the lab does not serve.
//!
//! An object's bytes lie in files that never change; its row names them. A row is written after its files, and files that no row
//! names are removed: whatever ends the lab, an object is whole or as before.

mod access;
mod buckets;
mod checksums;
mod conditions;
mod data;
mod listing;
mod object;
mod objects;
mod refusals;
mod uploads;

use std::collections::HashSet;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use super::{Answer, Done, Service};
use crate::cloud::call::access::Need;
use crate::cloud::call::{ApiError, Call, Reply, Request};
use crate::cloud::lab::{Home, Site};
use crate::cloud::state::{Folder, Table};
use buckets::Bucket;
use data::Data;
use object::Object;
use uploads::Upload;

/// The most bytes of one request: a laptop holds it in memory. S3 takes 5 GiB.
const LARGEST_REQUEST: usize = 256 << 20;
/// The most bytes of an object, which is read into memory as well. S3 takes 50 TB.
const LARGEST_OBJECT: u64 = 512 << 20;

/// The service.
#[derive(Debug)]
struct S3 {
    site: Arc<Site>,
    folder: Folder,
    data: Data,
    tables: Mutex<Tables>,
}

/// What is kept.
#[derive(Debug)]
struct Tables {
    buckets: Table<Bucket>,
    objects: Table<Object>,
    uploads: Table<Upload>,
}

/// Opens the service.
pub fn open(home: Home) -> io::Result<Arc<dyn Service>> {
    let Home { site, folder } = home;
    let mut tables = Tables { buckets: Table::open(&folder)?, objects: Table::open(&folder)?, uploads: Table::open(&folder)? };
    let data = Data::new(&folder);
    let mut used: HashSet<String> = tables.objects.values().flat_map(Object::files).collect();
    // An upload whose parts are an object's already was completed; only its end is missing.
    let over: Vec<String> =
        tables.uploads.values().filter(|one| one.files().any(|file| used.contains(&file))).map(|one| one.id.clone()).collect();
    for id in over {
        let _full = tables.uploads.remove(&id).is_err();
    }
    used.extend(tables.uploads.values().flat_map(Upload::files));
    data.sweep(&used)?;
    Ok(Arc::new(S3 { site, folder, data, tables: Mutex::new(tables) }))
}

impl S3 {
    /// Works on what is kept. Never hold it over an `await`, or while bytes are read or written.
    fn tables<T>(&self, work: impl FnOnce(&mut Tables) -> T) -> T {
        work(&mut self.tables.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn answer(&self, request: &Request) -> Result<Reply, ApiError> {
        let (input, raw) = (&request.input, &request.raw);
        refusals::refuse(&self.site.place, input)?;
        match request.operation.as_str() {
            "GetObject" => return objects::get(self, input, true),
            "HeadObject" => return objects::get(self, input, false),
            "GetBucketLocation" => return buckets::location(self, input),
            _ => {}
        }
        let answer = match request.operation.as_str() {
            "CreateBucket" => buckets::create(self, input),
            "HeadBucket" => buckets::head(self, input),
            "ListBuckets" => buckets::list(self, input),
            "DeleteBucket" => buckets::delete(self, input),
            "GetBucketVersioning" => buckets::versioning(self, input),
            "PutBucketVersioning" => buckets::put_versioning(self, input),
            "PutObject" => objects::put(self, input, raw),
            "CopyObject" => objects::copy(self, input),
            "DeleteObject" => objects::delete(self, input),
            "DeleteObjects" => objects::delete_many(self, input),
            "ListObjects" => listing::first(self, input),
            "ListObjectsV2" => listing::second(self, input),
            "ListObjectVersions" => listing::versions(self, input),
            "CreateMultipartUpload" => uploads::create(self, input),
            "UploadPart" => uploads::part(self, input, raw),
            "UploadPartCopy" => uploads::part_copy(self, input),
            "CompleteMultipartUpload" => uploads::complete(self, input),
            "AbortMultipartUpload" => uploads::abort(self, input),
            "ListMultipartUploads" => uploads::list(self, input),
            "ListParts" => uploads::list_parts(self, input),
            other => Err(refusals::not_served(other)),
        }?;
        Ok(Reply::from(answer))
    }
}

impl Service for S3 {
    fn model(&self) -> &'static str {
        include_str!("model.json")
    }

    fn operate(self: Arc<Self>, call: Call) -> Answer {
        Box::pin(async move {
            // Bytes are hashed, read and written: not on a thread that answers others.
            let done = tokio::task::spawn_blocking(move || self.answer(&call.request)).await;
            done.unwrap_or_else(|error| Err(ApiError::internal(error.to_string()))).map_err(refusals::worded)
        })
    }

    fn resources(&self, request: &Request) -> Vec<String> {
        access::resources(request)
    }

    fn action(&self, request: &Request) -> String {
        access::action(request)
    }

    fn needs(&self, request: &Request) -> Vec<Need> {
        access::needs(request)
    }

    fn largest(&self, operation: &str) -> usize {
        if matches!(operation, "PutObject" | "UploadPart") { LARGEST_REQUEST } else { 1 << 20 }
    }

    fn too_large(&self, most: usize, _operation: &str) -> ApiError {
        refusals::too_large(most as u64)
    }

    fn throttled(&self) -> ApiError {
        ApiError::new("SlowDown", 503, "Please reduce your request rate.")
    }

    fn trouble(&self) -> ApiError {
        refusals::internal()
    }

    fn denied(&self, message: String) -> ApiError {
        ApiError::new("AccessDenied", 403, message)
    }

    fn reset(self: Arc<Self>) -> Done {
        let forgotten = self.tables(|tables| {
            tables.buckets.clear()?;
            tables.objects.clear()?;
            tables.uploads.clear()?;
            self.folder.remove()
        });
        Box::pin(std::future::ready(forgotten))
    }
}
