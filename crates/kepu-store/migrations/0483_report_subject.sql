CREATE INDEX report_subject ON report (subject, ground);
