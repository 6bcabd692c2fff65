-- What clients of the gateway configure, and the requests that they may send twice.

-- Times are milliseconds since 1970, as in sessions: lists are paged by them.
CREATE TABLE agents (
  agent_id uuid PRIMARY KEY,
  workspace_id uuid NOT NULL REFERENCES workspaces,
  -- The newest one.
  version integer NOT NULL,
  created_at bigint NOT NULL,
  updated_at bigint NOT NULL,
  archived_at bigint
);
-- ;;
CREATE INDEX agents_list ON agents (workspace_id, created_at, agent_id);
-- ;;
-- Sessions run a version for ever, so none is ever changed.
CREATE TABLE agent_versions (
  agent_id uuid NOT NULL REFERENCES agents,
  version integer NOT NULL,
  digest bytea NOT NULL,
  definition json NOT NULL,
  created_at bigint NOT NULL,
  PRIMARY KEY (agent_id, version)
);
-- ;;
CREATE TABLE environments (
  environment_id uuid PRIMARY KEY,
  workspace_id uuid NOT NULL REFERENCES workspaces,
  -- The one of sessions that name none.
  is_default boolean NOT NULL DEFAULT false,
  digest bytea NOT NULL,
  definition json NOT NULL,
  created_at bigint NOT NULL,
  updated_at bigint NOT NULL,
  archived_at bigint
);
-- ;;
CREATE INDEX environments_list ON environments (workspace_id, created_at, environment_id);
-- ;;
CREATE UNIQUE INDEX environments_default ON environments (workspace_id) WHERE is_default AND archived_at IS NULL;
-- ;;
-- Requests with an Idempotency-Key. The ids that a request makes follow from its row, so that one that is sent again after
-- a crash makes nothing twice; the answer is kept for those that come after it.
CREATE TABLE idempotency_keys (
  workspace_id uuid NOT NULL REFERENCES workspaces,
  key text COLLATE "C" NOT NULL,
  digest bytea NOT NULL,
  created_at bigint NOT NULL,
  status smallint,
  body text,
  PRIMARY KEY (workspace_id, key)
);
-- ;;
CREATE INDEX idempotency_keys_old ON idempotency_keys (created_at);
-- ;;
-- What the gateway reads of a session without reading all of its log.
CREATE INDEX events_status ON events (stream_id, seq) WHERE type = 'StatusChanged';
-- ;;
CREATE INDEX events_setup ON events (stream_id, seq)
  WHERE type IN ('AgentReconfigured', 'ResourceAdded', 'ResourceRemoved', 'BudgetChanged', 'ThreadOpened', 'ThreadArchived');
-- ;;
DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'troupe_app') AND current_user <> 'troupe_app' THEN
    GRANT SELECT, INSERT, UPDATE ON agents TO troupe_app;
    GRANT SELECT, INSERT ON agent_versions TO troupe_app;
    GRANT SELECT, INSERT, UPDATE, DELETE ON environments, idempotency_keys TO troupe_app;
  END IF;
END $$;
