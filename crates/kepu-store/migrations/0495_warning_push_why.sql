-- Why a push was closed. Of a closed push whatever still stands as queued was overtaken: a million rows are not written again to say so.
ALTER TABLE warning_push ADD COLUMN closed_why TEXT NOT NULL DEFAULT '';
