CREATE INDEX subject_corrected ON subject (corrected, id) WHERE corrected > 0;
