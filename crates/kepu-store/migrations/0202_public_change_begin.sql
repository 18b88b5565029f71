-- What is shown already counts as changed when the newest of it was signed: nobody asked for changes before.
INSERT INTO public_change (id, kind, fields, version, gone, at)
SELECT id, kind, fields, '', standing <> 'public', (SELECT MAX(modified) FROM subject)
FROM subject WHERE kind IN ('resource', 'claim');
