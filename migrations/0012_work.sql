-- Sessions of self-hosted environments that a worker has to look after. `settled` is false from the moment at which a claim is
-- over until the session was told so: until then nobody else is given the session.

CREATE TABLE work (
  work_id uuid PRIMARY KEY,
  workspace_id uuid NOT NULL,
  environment_id uuid NOT NULL,
  session_id uuid NOT NULL REFERENCES sessions ON DELETE CASCADE,
  state text NOT NULL DEFAULT 'queued',
  settled boolean NOT NULL DEFAULT true,
  metadata jsonb NOT NULL DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT now(),
  polled_at timestamptz,
  acknowledged_at timestamptz,
  started_at timestamptz,
  heartbeat_at timestamptz,
  -- The one before, for a worker that never heard the answer to its last one and sends it again.
  heartbeat_before timestamptz,
  lease_until timestamptz,
  ttl_seconds integer NOT NULL DEFAULT 0,
  -- Whose heartbeats keep the claim up.
  holder uuid,
  stop_requested_at timestamptz,
  stopped_at timestamptz
) WITH (fillfactor = 70);
-- ;;
-- One at a time for a session, and what has ended is only history.
CREATE UNIQUE INDEX work_of_session ON work (session_id) WHERE NOT (state = 'stopped' AND settled);
-- ;;
CREATE INDEX work_past ON work (session_id);
-- ;;
CREATE INDEX work_list ON work (environment_id, created_at, work_id);
-- ;;
CREATE INDEX work_queued ON work (environment_id, created_at, work_id) WHERE state = 'queued';
-- ;;
CREATE INDEX work_leases ON work (lease_until) WHERE state IN ('starting', 'active', 'stopping');
-- ;;
CREATE INDEX work_unsettled ON work (work_id) WHERE NOT settled;
-- ;;
-- Sessions that work is looked for in. What changes often is in no index, so that changing it stays cheap.
CREATE INDEX sessions_environment ON sessions (environment_id, created_at) WHERE deleted_at IS NULL;
-- ;;
-- Who has asked for work lately. It may be lost with a crash.
CREATE UNLOGGED TABLE work_pollers (
  environment_id uuid NOT NULL,
  worker text NOT NULL,
  seen_at timestamptz NOT NULL,
  PRIMARY KEY (environment_id, worker)
) WITH (fillfactor = 50);
-- ;;
DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'troupe_app') AND current_user <> 'troupe_app' THEN
    GRANT SELECT, INSERT, UPDATE, DELETE ON work, work_pollers TO troupe_app;
  END IF;
END $$;
