//! kepu-tests
