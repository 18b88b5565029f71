-- Files that show what an applicant says, kept for the applicant and used again. The bytes lie beside the files of resources. Whoever
-- may see an application that names one may read it, nobody else.
CREATE TABLE proof (
    party      TEXT   NOT NULL,
    hash       TEXT   NOT NULL,
    title      TEXT   NOT NULL,
    kind       TEXT   NOT NULL,
    media_type TEXT   NOT NULL,
    size       BIGINT NOT NULL,
    until      TEXT   NOT NULL,
    at         BIGINT NOT NULL,
    PRIMARY KEY (party, hash)
);
