-- When each person was last there, as far as their sessions do not say it: those of long ago are
-- deleted. Sessions that ended are asked too.
ALTER TABLE users ADD COLUMN last_active_at BIGINT NOT NULL DEFAULT 0;
DROP INDEX sessions_of_user;
CREATE INDEX sessions_of_user ON sessions (user_id, last_active_at);
