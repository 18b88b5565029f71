-- One judge's word on one application.
CREATE TABLE judgement (
    application TEXT NOT NULL,
    judge       TEXT NOT NULL,
    round       TEXT NOT NULL,
    stage       TEXT NOT NULL CHECK (stage IN ('assigned', 'scored', 'recused')),
    doc         TEXT NOT NULL,
    PRIMARY KEY (application, judge)
);
