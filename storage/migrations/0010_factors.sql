-- What second factors need beside a secret: a counter that use moves, and the id of a WebAuthn
-- credential, which is one person's only. And a factor that an attempt is setting up.
ALTER TABLE factors ADD COLUMN counter BIGINT NOT NULL DEFAULT 0;
ALTER TABLE factors ADD COLUMN credential {{text}};
CREATE UNIQUE INDEX factors_by_credential ON factors (credential) WHERE credential IS NOT NULL;
ALTER TABLE attempts ADD COLUMN factor TEXT NOT NULL DEFAULT '';
