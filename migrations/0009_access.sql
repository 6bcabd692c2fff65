-- How many requests were taken in the windows that run, by all nodes together. It may be lost with a crash: then they begin anew.

CREATE UNLOGGED TABLE rate_limits (
  key text COLLATE "C" PRIMARY KEY,
  ends_at timestamptz NOT NULL,
  taken bigint NOT NULL
) WITH (fillfactor = 50);
-- ;;
-- What was given for a time is swept once that is long over.
CREATE INDEX tokens_passed ON tokens (expires_at) WHERE kind IN ('login', 'console', 'stream', 'end_user', 'worker');
-- ;;
DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'troupe_app') AND current_user <> 'troupe_app' THEN
    GRANT SELECT, INSERT, UPDATE, DELETE ON rate_limits TO troupe_app;
    GRANT DELETE ON tokens TO troupe_app;
  END IF;
END $$;
