-- In which format the logs of this installation may be written: what every node reads that is registered, or was when it
-- was raised. It never falls, and a node that does not read it can't register any more.

CREATE TABLE log_format (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  format integer NOT NULL CHECK (format >= 1)
);
-- ;;
INSERT INTO log_format (format) VALUES (1);
-- ;;
-- The newest format that a node reads. Releases from before this column read the first.
ALTER TABLE nodes ADD COLUMN reads integer NOT NULL DEFAULT 1;
-- ;;
DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'troupe_app') THEN
    GRANT SELECT, UPDATE ON log_format TO troupe_app;
  END IF;
END
$$;
