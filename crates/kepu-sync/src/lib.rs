//! kepu-sync
