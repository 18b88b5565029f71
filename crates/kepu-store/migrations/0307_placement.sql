-- Where a claim's answer stands outside its page: sites with its card, screens, services that said it. Which version, which day, never who looked.
CREATE TABLE placement (
    claim TEXT   NOT NULL,
    kind  TEXT   NOT NULL CHECK (kind IN ('embed', 'screen', 'bot')),
    place TEXT   NOT NULL,
    doc   BYTEA  NOT NULL,
    at    BIGINT NOT NULL,
    PRIMARY KEY (claim, kind, place)
);
