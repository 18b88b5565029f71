//! What two nodes say to each other: signed records, certificates, frames, cursors and bundles. Functions over bytes;
//! sockets are in `kepu-app::sync`, tables in `kepu-store`, the meaning of records in `kepu-domain`.

pub mod bundle;
pub mod canonical;
pub mod cursor;
pub mod did;
pub mod frame;
pub mod merkle;
pub mod record;
pub mod session;
pub mod suite;
pub mod wire;
