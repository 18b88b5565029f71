-- Which task of this node answers what is asked: one task may answer several letters, one letter never makes two.
CREATE TABLE ask_task (
    decision TEXT NOT NULL,
    ask      TEXT NOT NULL,
    task     TEXT NOT NULL,
    words    TEXT NOT NULL,
    PRIMARY KEY (decision, ask)
);
