-- How long the attempts of a session worked, in a day.
ALTER TABLE usage_days ADD COLUMN active_ms bigint NOT NULL DEFAULT 0;
-- ;;
-- Attempts that work, and since when: milliseconds since 1970. Gone when they have ended.
CREATE TABLE usage_work (
  generation integer NOT NULL,
  session_id uuid NOT NULL,
  thread_id text COLLATE "C" NOT NULL,
  workspace_id uuid NOT NULL,
  started_at bigint NOT NULL,
  PRIMARY KEY (generation, session_id, thread_id)
);
-- ;;
CREATE INDEX usage_work_workspace ON usage_work (generation, workspace_id);
-- ;;
DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'troupe_app') AND current_user <> 'troupe_app' THEN
    GRANT SELECT, INSERT, UPDATE, DELETE ON usage_work TO troupe_app;
  END IF;
END $$;
