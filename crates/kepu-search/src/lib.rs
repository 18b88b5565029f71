//! kepu-search
