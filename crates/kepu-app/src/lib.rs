//! kepu-app
