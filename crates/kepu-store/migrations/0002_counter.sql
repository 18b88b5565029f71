-- Numbers that are given out. The row lock makes the order of commits the order of numbers.
CREATE TABLE counter (
    name  TEXT   NOT NULL PRIMARY KEY,
    value BIGINT NOT NULL
);
