-- Which points want to hear of a hazard in a place; the hazard * is all of them.
CREATE TABLE point_post (
    region    TEXT    NOT NULL,
    hazard    TEXT    NOT NULL,
    point     BIGINT  NOT NULL,
    level     BIGINT  NOT NULL,
    is_called BOOLEAN NOT NULL,
    PRIMARY KEY (region, hazard, point)
);
