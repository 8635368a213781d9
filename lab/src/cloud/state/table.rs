//! A table: rows by name in memory, each with its file. A row is on disk before anybody sees it.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::ops::Deref;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::folder::Folder;
use crate::cloud::call::ApiError;
use crate::whole::replace;

/// What a table holds.
pub trait Row: Clone + Serialize + DeserializeOwned {
    /// The table's name, and its folder's.
    const TABLE: &'static str;

    /// The row's name, any text.
    fn key(&self) -> &str;
}

/// The rows. Reads as the map that it is; every change goes to the disk first, and where that fails, nothing has changed.
#[derive(Debug)]
pub struct Table<T> {
    folder: Folder,
    rows: BTreeMap<String, T>,
}

impl<T> Deref for Table<T> {
    type Target = BTreeMap<String, T>;

    fn deref(&self) -> &BTreeMap<String, T> {
        &self.rows
    }
}

impl<T: Row> Table<T> {
    /// Reads a service's table. A file that cannot be read is set aside.
    pub fn open(service: &Folder) -> io::Result<Table<T>> {
        let folder = service.within(T::TABLE);
        let mut rows = BTreeMap::new();
        for path in folder.files()? {
            match fs::read(&path).and_then(|text| serde_json::from_slice::<T>(&text).map_err(io::Error::other)) {
                Ok(row) => {
                    rows.insert(row.key().to_owned(), row);
                }
                Err(error) => folder.set_aside(&path, &error.to_string()),
            }
        }
        Ok(Table { folder, rows })
    }

    fn failed(key: &str, error: &io::Error) -> ApiError {
        ApiError::internal(format!("cannot keep `{key}` in {}: {error}", T::TABLE))
    }

    /// Adds a row or replaces it.
    pub fn put(&mut self, row: T) -> Result<(), ApiError> {
        let text = serde_json::to_vec(&row).map_err(io::Error::other);
        let written = text.and_then(|text| replace(&self.folder.file(row.key()), &text));
        written.map_err(|error| Self::failed(row.key(), &error))?;
        self.rows.insert(row.key().to_owned(), row);
        Ok(())
    }

    /// Changes a row, if it is there and the work succeeds. The name stays.
    pub fn change<R>(&mut self, key: &str, work: impl FnOnce(&mut T) -> Result<R, ApiError>) -> Option<Result<R, ApiError>> {
        let mut row = self.rows.get(key)?.clone();
        Some(work(&mut row).and_then(|result| self.put(row).map(|()| result)))
    }

    /// Forgets a row; the row, if there was one.
    pub fn remove(&mut self, key: &str) -> Result<Option<T>, ApiError> {
        match fs::remove_file(self.folder.file(key)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Self::failed(key, &error)),
            _ => Ok(self.rows.remove(key)),
        }
    }

    /// Forgets all rows.
    pub fn clear(&mut self) -> io::Result<()> {
        self.folder.remove()?;
        self.rows.clear();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::folder::tests::{names, within};
    use super::*;

    #[derive(Debug, Clone, PartialEq, Serialize, serde::Deserialize)]
    struct Thing {
        name: String,
        size: u64,
    }

    impl Row for Thing {
        const TABLE: &'static str = "things";

        fn key(&self) -> &str {
            &self.name
        }
    }

    fn thing(name: &str, size: u64) -> Thing {
        Thing { name: name.to_owned(), size }
    }

    /// Opens the table of a lab's only service.
    fn open(folder: &std::path::Path) -> Table<Thing> {
        Table::open(&Folder::open(folder).unwrap().within("service")).unwrap()
    }

    #[test]
    fn rows_of_any_name_are_there_again() {
        within(|folder| {
            let long = format!("/{}", "a/é".repeat(500));
            let mut things = open(folder);
            for name in ["one", "/a/b.c", "", &long] {
                things.put(thing(name, 1)).unwrap();
            }
            assert_eq!(things.change("one", |one| Ok(std::mem::replace(&mut one.size, 2))), Some(Ok(1)));
            assert_eq!(things.remove("/a/b.c").unwrap(), Some(thing("/a/b.c", 1)));
            let rows = things.rows.clone();
            drop(things);
            assert_eq!(open(folder).rows, rows);
            assert_eq!(rows.keys().collect::<Vec<_>>(), ["", &long, "one"]);
        });
    }

    #[test]
    fn work_that_fails_changes_nothing() {
        within(|folder| {
            let mut things = open(folder);
            things.put(thing("one", 1)).unwrap();
            let failed = things.change("one", |one| {
                one.size = 2;
                Err::<(), _>(ApiError::invalid("no"))
            });
            assert!(failed.is_some_and(|failed| failed.is_err()) && things["one"].size == 1);
            assert!(things.change("two", |_| Ok(())).is_none());
        });
    }

    #[test]
    fn what_the_disk_does_not_take_has_not_happened() {
        within(|folder| {
            let mut things = open(folder);
            things.put(thing("one", 1)).unwrap();
            // A file where the folder should be: no write succeeds, whoever runs this test.
            things.clear().unwrap();
            fs::write(folder.join("service/things"), "").unwrap();
            let error = things.put(thing("one", 2)).unwrap_err();
            assert_eq!((error.status, things.len()), (500, 0), "{error}");
        });
    }

    #[test]
    fn a_broken_file_is_set_aside_and_named_and_the_rest_is_there() {
        within(|folder| {
            let mut things = open(folder);
            ["whole", "torn", "empty", "other"].into_iter().for_each(|name| things.put(thing(name, 1)).unwrap());
            drop(things);
            let table = folder.join("service/things");
            fs::write(table.join("torn.json"), r#"{"name":"torn","si"#).unwrap();
            fs::write(table.join("empty.json"), "").unwrap();
            fs::write(table.join("other.json"), [0xff; 10]).unwrap();
            let things = open(folder);
            assert_eq!(things.keys().collect::<Vec<_>>(), ["whole"]);
            let mut broken = things.folder.broken();
            broken.sort();
            assert_eq!(broken, ["empty", "other", "torn"].map(|name| table.join(format!("{name}.json.broken"))));
            drop(things);
            let mut things = open(folder);
            assert!(things.folder.broken().is_empty());
            things.put(thing("torn", 2)).unwrap();
            assert_eq!(names(&table).len(), 5);
        });
    }
}
