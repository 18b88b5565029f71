-- A remark at a sentence of a draft, or an answer to one.
CREATE TABLE review_comment (
    id          TEXT   NOT NULL PRIMARY KEY,
    draft       TEXT   NOT NULL REFERENCES draft (id),
    parent      TEXT   NOT NULL,
    account     TEXT   NOT NULL,
    name        TEXT   NOT NULL,
    anchor      TEXT   NOT NULL,
    quote       TEXT   NOT NULL,
    body        TEXT   NOT NULL,
    voice       TEXT   NOT NULL,
    made_at     BIGINT NOT NULL,
    resolved_at BIGINT,
    CHECK (body <> '' OR voice <> '')
);
