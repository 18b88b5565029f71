//! The API of resources.

use crate::Web;
use crate::line::filter;
use crate::page::{Answer, Req};
use axum::extract::{Path, State};

/// Resources, newest first.
#[utoipa::path(get, path = "/api/resources", tag = "resources", params(
    ("type" = Option<String>, Query, description = "Type, id of the vocabulary types"),
    ("field" = Option<String>, Query, description = "Field, id of the vocabulary fields"),
    ("audience" = Option<String>, Query, description = "Audience, id of the vocabulary audiences"),
    ("region" = Option<String>, Query, description = "Place, six digits; what is meant for it or for a larger place around it"),
    ("hazard" = Option<String>, Query, description = "Hazard of an emergency card"),
    ("in" = Option<String>, Query, description = "Language, by prefix"),
    ("limit" = Option<usize>, Query, description = "Rows of a page, at most 200"),
    ("cursor" = Option<String>, Query, description = "From the page before"),
), responses((status = 200, body = super::Items), (status = 400, description = "problem details")))]
pub async fn resources(State(web): State<Web>, req: Req) -> Answer {
    super::list(&web, &req, &filter(&req.query, "resource")).await
}

/// One resource with its signed record; 410 if it was withdrawn.
#[utoipa::path(get, path = "/api/resources/{owner}/{local}", tag = "resources", params(
    ("owner" = String, Path, description = "First part of the id"), ("local" = String, Path, description = "Second part of the id")),
    responses((status = 200, body = super::Whole), (status = 404, description = "problem details"), (status = 410, description = "problem details")))]
pub async fn resource(State(web): State<Web>, req: Req, Path((owner, local)): Path<(String, String)>) -> Answer {
    super::one(&web, &req, "resource", &owner, &local).await
}
