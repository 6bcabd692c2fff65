-- Content that nothing names any more: when it was last wanted, and who may remove it.

-- Set anew whenever somebody is about to name it. Only what nobody has wanted for long is ever removed.
ALTER TABLE blobs ADD COLUMN wanted_at timestamptz NOT NULL DEFAULT now();
-- ;;
-- Workspaces of which a session was purged, so that something may be named by nothing there.
CREATE TABLE blob_sweeps (
  workspace_id uuid PRIMARY KEY,
  -- Milliseconds since 1970.
  purged_at bigint NOT NULL,
  due_at bigint NOT NULL
);
-- ;;
-- Answers how many are gone. Those that were wanted again meanwhile stay.
CREATE FUNCTION troupe_drop_blobs(workspace uuid, names bytea[], unwanted_since timestamptz) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
  gone integer;
BEGIN
  DELETE FROM blobs WHERE workspace_id = workspace AND sha256 = ANY (names) AND wanted_at < unwanted_since;
  GET DIAGNOSTICS gone = ROW_COUNT;
  RETURN gone;
END $$;
-- ;;
DO $$
DECLARE
  f text := 'troupe_drop_blobs(uuid, bytea[], timestamptz)';
  here text := current_schema();
BEGIN
  EXECUTE format('ALTER FUNCTION %s SET search_path = %I, pg_temp', f, here);
  EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', f);
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'troupe_app') AND current_user <> 'troupe_app' THEN
    GRANT UPDATE (wanted_at) ON blobs TO troupe_app;
    GRANT SELECT, INSERT, UPDATE, DELETE ON blob_sweeps TO troupe_app;
    EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO troupe_app', f);
  END IF;
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'troupe_redactor') AND pg_has_role(current_user, 'troupe_redactor', 'MEMBER') THEN
    EXECUTE format('GRANT USAGE, CREATE ON SCHEMA %I TO troupe_redactor', here);
    GRANT SELECT, DELETE ON blobs TO troupe_redactor;
    EXECUTE format('ALTER FUNCTION %s OWNER TO troupe_redactor', f);
    EXECUTE format('REVOKE CREATE ON SCHEMA %I FROM troupe_redactor', here);
  END IF;
END $$;
