//! The index as files or in memory: opening, writing, committing, starting over.
//!
//! Reading is in `search` and `similar`, the layout in `schema`. The index is a cache of the store: whatever looks wrong
//! is thrown away, and [`Index::cursor`] tells the caller from which log number to fill it again.

use std::fs;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use tantivy::directory::error::OpenReadError;
use tantivy::indexer::IndexWriterOptions;
use tantivy::{IndexReader, IndexSettings, IndexWriter, ReloadPolicy, Searcher, TantivyError, Term};

use crate::error::SearchError;
use crate::rerank::Rerank;
use crate::schema::{Doc, Fields, STAMP, schema};
use crate::tokens::{self, GramTokenizer};

const STAMP_FILE: &str = "kepu-search.stamp";
const META_FILE: &str = "meta.json";
/// Memory for documents not yet on disk, in bytes.
const WRITER_BUDGET: usize = 50_000_000;

/// The same for each thread of [`Index::fill`].
const BULK_BUDGET: usize = 400_000_000;

/// A full-text index. Share it by reference: searching needs no lock, writing takes turns.
pub struct Index {
    index: tantivy::Index,
    reader: IndexReader,
    /// Opened at the first write, so that a process that only reads never holds the lock of the directory.
    writer: Mutex<Option<IndexWriter>>,
    pub(crate) fields: Fields,
    was_reset: bool,
    /// The optional encoder; see `rerank`.
    pub(crate) rerank: OnceLock<Rerank>,
}

impl std::fmt::Debug for Index {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Index").field("index", &self.index).field("was_reset", &self.was_reset).finish_non_exhaustive()
    }
}

impl Index {
    /// Opens the index in `dir`, or makes an empty one there.
    ///
    /// An index of another version, or a damaged one, is deleted and started empty; see [`Index::was_reset`].
    ///
    /// # Errors
    /// [`SearchError::NotOurs`] if `dir` holds other files, [`SearchError::Files`] if it cannot be used.
    pub fn open(dir: &Path) -> Result<Self, SearchError> {
        let files = |action| move |source| SearchError::Files { action, dir: dir.to_owned(), source };
        fs::create_dir_all(dir).map_err(files("create the search directory"))?;
        let stamp = fs::read_to_string(dir.join(STAMP_FILE)).ok();
        let empty = fs::read_dir(dir).map_err(files("list the search directory"))?.next().is_none();
        if stamp.is_none() && !empty && !dir.join(META_FILE).exists() {
            return Err(SearchError::NotOurs { dir: dir.to_owned() });
        }
        if stamp.as_deref() == Some(STAMP) {
            match tantivy::Index::open_in_dir(dir).and_then(|index| Self::around(index, false)) {
                Err(error) if is_damage(&error) => {}
                other => return other.map_err(SearchError::on("open")),
            }
        }
        wipe(dir).map_err(files("empty the search directory"))?;
        // The stamp comes first: a crash in between leaves a directory that is ours and damaged, hence made anew.
        fs::write(dir.join(STAMP_FILE), STAMP).map_err(files("write the stamp of the search index"))?;
        let index = tantivy::Index::builder().schema(schema().0).settings(settings()).create_in_dir(dir);
        index.and_then(|index| Self::around(index, true)).map_err(SearchError::on("create"))
    }

    /// An index in memory, for tests and for commands that index and search in one go.
    ///
    /// # Errors
    /// [`SearchError::Index`] if the reader cannot start.
    pub fn in_ram() -> Result<Self, SearchError> {
        Self::around(tantivy::Index::create_in_ram(schema().0), true).map_err(SearchError::on("create"))
    }

    fn around(index: tantivy::Index, was_reset: bool) -> Result<Self, TantivyError> {
        index.tokenizers().register(tokens::NAME, GramTokenizer::default());
        let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into()?;
        Ok(Self { index, reader, writer: Mutex::new(None), fields: schema().1, was_reset, rerank: OnceLock::new() })
    }

    /// Whether this call of [`Index::open`] started with an empty index, be it new, outdated or damaged: fill it.
    #[must_use]
    pub fn was_reset(&self) -> bool {
        self.was_reset
    }

    /// The cursor of the last commit: everything up to this log number is in the index. `None`: nothing is.
    #[must_use]
    pub fn cursor(&self) -> Option<i64> {
        // A cursor that cannot be read is none: filling again from the start does no harm.
        self.index.load_metas().ok()?.payload?.parse().ok()
    }

    /// Number of documents as of the last commit.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.searcher().num_docs()
    }

    /// Adds `docs`, each in place of an earlier one with its id. Found after [`Index::commit`].
    ///
    /// # Errors
    /// [`SearchError::Busy`] if another process writes. After any error everything since the last commit is gone: go on
    /// from [`Index::cursor`].
    pub fn put(&self, docs: &[Doc]) -> Result<(), SearchError> {
        self.write("write to", |writer| {
            for doc in docs {
                writer.delete_term(Term::from_field_text(self.fields.id, &doc.id));
                writer.add_document(self.fields.document(doc))?;
            }
            Ok(())
        })
    }

    /// Removes the documents with these ids; unknown ids are no error. Gone after [`Index::commit`].
    ///
    /// # Errors
    /// As [`Index::put`].
    pub fn delete(&self, ids: &[String]) -> Result<(), SearchError> {
        self.write("delete from", |writer| {
            for id in ids {
                writer.delete_term(Term::from_field_text(self.fields.id, id));
            }
            Ok(())
        })
    }

    /// Makes everything written so far durable and searchable, and remembers `cursor` with it.
    ///
    /// # Errors
    /// As [`Index::put`].
    pub fn commit(&self, cursor: i64) -> Result<(), SearchError> {
        self.write("commit", |writer| {
            let mut commit = writer.prepare_commit()?;
            commit.set_payload(&cursor.to_string());
            commit.commit().map(drop)
        })?;
        self.reader.reload().map_err(SearchError::on("reload"))
    }

    /// Empties the index at once and forgets the cursor, for filling it anew.
    ///
    /// # Errors
    /// As [`Index::put`].
    pub fn clear(&self) -> Result<(), SearchError> {
        self.write("empty", |writer| {
            writer.delete_all_documents()?;
            writer.commit().map(drop)
        })?;
        // What was erased by law must not live on as a direction.
        if let Some(rerank) = self.rerank.get() {
            rerank.memory.forget();
        }
        self.reader.reload().map_err(SearchError::on("reload"))
    }

    /// Adds many documents, whose ids no other document has, to an index that was empty, and commits. Much faster than [`Index::put`].
    /// Returns how many there were.
    ///
    /// # Errors
    /// As [`Index::put`].
    pub fn fill(&self, docs: &mut dyn Iterator<Item = Doc>, threads: usize) -> Result<usize, SearchError> {
        let mut slot: MutexGuard<'_, Option<IndexWriter>> = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        // This one holds the lock of the directory, and a directory has one writer.
        drop(slot.take());
        let fill = || -> tantivy::Result<usize> {
            let options =
                IndexWriterOptions::builder().num_worker_threads(threads.max(1)).num_merge_threads(threads.max(1)).memory_budget_per_thread(BULK_BUDGET);
            let mut writer: IndexWriter = self.index.writer_with_options(options.build())?;
            let mut count = 0;
            for doc in docs {
                writer.add_document(self.fields.document(&doc))?;
                count += 1;
            }
            let mut commit = writer.prepare_commit()?;
            commit.set_payload("0");
            commit.commit()?;
            // One piece answers fastest: each search opens every list once.
            let pieces = self.index.searchable_segment_ids()?;
            if pieces.len() > 1 {
                writer.merge(&pieces).wait()?;
            }
            writer.wait_merging_threads()?;
            Ok(count)
        };
        let count = fill().map_err(SearchError::on("fill"))?;
        self.reader.reload().map_err(SearchError::on("reload"))?;
        Ok(count)
    }

    /// Whether an index of ours stands in `dir`, of whatever version.
    #[must_use]
    pub fn is_in(dir: &Path) -> bool {
        dir.join(STAMP_FILE).is_file()
    }

    pub(crate) fn searcher(&self) -> Searcher {
        self.reader.searcher()
    }

    fn write(&self, action: &'static str, work: impl FnOnce(&mut IndexWriter) -> tantivy::Result<()>) -> Result<(), SearchError> {
        let mut slot: MutexGuard<'_, Option<IndexWriter>> = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let mut writer = match slot.take() {
            Some(writer) => writer,
            None => {
                let options = IndexWriterOptions::builder().num_worker_threads(1).num_merge_threads(1).memory_budget_per_thread(WRITER_BUDGET).build();
                self.index.writer_with_options(options).map_err(SearchError::on("write"))?
            }
        };
        work(&mut writer).map_err(SearchError::on(action))?;
        // A writer that failed stays dead, so only a sound one is put back; the next write opens another.
        *slot = Some(writer);
        Ok(())
    }
}

/// Small blocks of stored texts: the second pass reads single documents from all over, and a block must be unpacked whole.
fn settings() -> IndexSettings {
    IndexSettings { docstore_blocksize: 4_096, ..IndexSettings::default() }
}

/// Errors that say the files are wrong rather than out of reach.
fn is_damage(error: &TantivyError) -> bool {
    use TantivyError as E;
    match error {
        E::DataCorruption(_) | E::IncompatibleIndex(_) | E::SchemaError(_) | E::DeserializeError(_) | E::FieldNotFound(_) | E::InvalidArgument(_) => true,
        E::OpenReadError(cause) => matches!(cause, OpenReadError::FileDoesNotExist(_) | OpenReadError::IncompatibleIndex(_)),
        _ => false,
    }
}

/// Deletes the files of `dir`. Directories inside are none of ours and stay.
fn wipe(dir: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}
