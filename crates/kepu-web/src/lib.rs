//! kepu-web
