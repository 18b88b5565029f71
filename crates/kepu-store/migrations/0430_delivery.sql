-- The queue: one row for each warning and point. The words are made when they are sent.
CREATE TABLE delivery (
    push      BIGINT  NOT NULL,
    point     BIGINT  NOT NULL,
    is_called BOOLEAN NOT NULL,
    state     TEXT    NOT NULL CHECK (state IN ('queued', 'sent', 'confirmed', 'failed', 'overtaken')),
    due_at    BIGINT  NOT NULL,
    tries     BIGINT  NOT NULL,
    why       TEXT    NOT NULL,
    card      TEXT    NOT NULL,
    sent_at   BIGINT,
    done_at   BIGINT,
    PRIMARY KEY (push, point)
);
