CREATE INDEX public_change_at ON public_change (at, id);
