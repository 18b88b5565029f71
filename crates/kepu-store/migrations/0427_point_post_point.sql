CREATE INDEX point_post_point ON point_post (point);
