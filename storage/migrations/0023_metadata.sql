-- What applications keep about a person: JSON objects, '' for none.
ALTER TABLE users ADD COLUMN public_metadata TEXT NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN private_metadata TEXT NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN own_metadata TEXT NOT NULL DEFAULT '';
