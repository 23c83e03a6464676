-- What people may do at relying parties, beside the groups they belong to.
ALTER TABLE users ADD COLUMN role_names TEXT NOT NULL DEFAULT '[]';
