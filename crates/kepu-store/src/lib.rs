//! kepu-store
