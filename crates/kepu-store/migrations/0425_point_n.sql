CREATE INDEX point_n ON point (n);
