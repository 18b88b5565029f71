//! The optional encoder of a node: its file in the data folder, and reading the library with it beside the other work.
//!
//! Whoever has the machine in hand puts the file there (`kepu encoder add`); a node without it misses nothing but a better order of questions in everyday words. What
//! it does with texts is in `kepu_search::encoder`.

use crate::App;
use kepu_search::encoder::{Encoder, FILE, Memory};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where the file stands in a data folder.
pub fn file(data: &Path) -> PathBuf {
    data.join("encoder").join(FILE)
}

/// The encoder of this node, if its file is there; a damaged one is named in the log and the node goes on without it. Takes half a second, so not on a thread that
/// serves pages.
pub fn find(app: &App) -> Option<Arc<Encoder>> {
    let path = file(&app.data);
    if !path.is_file() {
        return None;
    }
    match Encoder::open(&path) {
        Ok(encoder) => Some(Arc::new(encoder)),
        Err(error) => {
            tracing::error!(%error, "searching without the encoder");
            None
        }
    }
}

/// Lets searches use `encoder` as soon as [`read_ahead`] has read the library once, and questions about claims at once.
pub fn begin(app: &App, encoder: Arc<Encoder>) {
    match Memory::beside(encoder.clone(), &app.data.join("encoder").join("claims.vectors")) {
        Ok(memory) => app.claims.use_encoder(Arc::new(memory)),
        Err(error) => tracing::error!(%error, "claims are matched without the encoder"),
    }
    let Some(index) = &app.index else { return };
    if let Err(error) = index.use_encoder_once_read(encoder, &app.data.join("index")) {
        tracing::error!(%error, "searching without the encoder");
    }
}

/// Reads what is new in the index; `go_on` may stop it between two moments. For a thread of its own.
pub fn read_ahead(app: &App, go_on: &dyn Fn() -> bool) {
    app.claims.read_ahead(go_on);
    let Some(index) = &app.index else { return };
    match index.read_ahead(1, &mut |_| go_on()) {
        Ok(stretches) if stretches > Memory::MOST => {
            tracing::warn!(stretches, most = Memory::MOST, "the library is too large for the encoder; questions are answered without it");
        }
        Ok(_) => {}
        Err(error) => tracing::error!(%error, "the library could not be read with the encoder"),
    }
}
