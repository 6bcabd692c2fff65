-- The log: heads, events, rejections, snapshots, blobs, and the list row of sessions.
-- Statements are sent one at a time, split on the marker line below.

CREATE TABLE heads (
  stream_id uuid PRIMARY KEY,
  -- 0 session, 1 workspace
  kind smallint NOT NULL,
  workspace_id uuid NOT NULL,
  -- The cluster's shard of a session, so that a node finds the due rows of the shards it owns; 0 for workspaces.
  shard smallint NOT NULL,
  version integer NOT NULL DEFAULT 0,
  epoch integer NOT NULL DEFAULT 0,
  chain bytea NOT NULL DEFAULT decode(repeat('00', 32), 'hex'),
  last_recorded_at bigint NOT NULL DEFAULT 0,
  wake_at bigint
  -- Room on the page keeps the update of version and chain off the indexes (HOT): no indexed column changes with it.
) WITH (fillfactor = 60);
-- ;;
CREATE INDEX heads_due ON heads (shard, wake_at) WHERE wake_at IS NOT NULL;
-- ;;
CREATE TABLE events (
  stream_id uuid NOT NULL,
  seq integer NOT NULL,
  recorded_at bigint NOT NULL,
  -- The global order: readers across streams page by (xid, position) below the snapshot horizon.
  xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
  position bigint GENERATED ALWAYS AS IDENTITY,
  event_id uuid NOT NULL,
  workspace_id uuid NOT NULL,
  causation_id uuid NOT NULL,
  correlation_id uuid NOT NULL,
  thread_id uuid,
  epoch integer NOT NULL,
  -- So that a page can be cut by its size without looking into what is large.
  payload_bytes integer GENERATED ALWAYS AS (octet_length(payload::text)) STORED,
  kind smallint NOT NULL,
  version smallint NOT NULL,
  type text COLLATE "C" NOT NULL,
  actor text NOT NULL,
  salt bytea,
  commitment bytea NOT NULL,
  chain bytea NOT NULL,
  -- The receipt: only the first event of a client's command has these.
  command_id uuid,
  command_digest bytea,
  command_body text,
  -- json and not jsonb: the exact bytes are what the commitment promises. Null once redacted.
  payload json,
  PRIMARY KEY (stream_id, seq)
);
-- ;;
CREATE UNIQUE INDEX events_command ON events (stream_id, command_id) WHERE command_id IS NOT NULL;
-- ;;
CREATE INDEX events_global ON events (xid, position);
-- ;;
CREATE TABLE rejections (
  stream_id uuid NOT NULL,
  command_id uuid NOT NULL,
  digest bytea NOT NULL,
  -- The version the command was decided at, for verifying decisions.
  version integer NOT NULL,
  recorded_at bigint NOT NULL,
  reason text NOT NULL,
  -- Null once redacted.
  body text,
  PRIMARY KEY (stream_id, command_id)
);
-- ;;
-- Which inputs a stream has taken, for ever: its state knows only those that are not over. No other rows come with appends
-- that take none, and those are nearly all.
CREATE TABLE inputs (
  stream_id uuid NOT NULL,
  input_id uuid NOT NULL,
  PRIMARY KEY (stream_id, input_id)
);
-- ;;
-- A cache. One for each fold version, so that two releases that run side by side do not undo each other's.
CREATE TABLE snapshots (
  stream_id uuid NOT NULL,
  fold_version integer NOT NULL,
  version integer NOT NULL,
  state text NOT NULL,
  PRIMARY KEY (stream_id, fold_version)
);
-- ;;
CREATE TABLE sessions (
  session_id uuid PRIMARY KEY,
  workspace_id uuid NOT NULL,
  status text NOT NULL,
  status_reason text,
  title text,
  agent_id uuid NOT NULL,
  agent_version integer NOT NULL,
  environment_id uuid,
  project_id uuid,
  parent_id uuid,
  deployment_id uuid,
  origin text NOT NULL,
  created_by text NOT NULL,
  end_user text,
  visibility text NOT NULL,
  external_thread_key text,
  labels text[] NOT NULL DEFAULT '{}',
  metadata jsonb NOT NULL DEFAULT '{}',
  cost_micro_usd bigint,
  tokens bigint NOT NULL DEFAULT 0,
  turns integer NOT NULL DEFAULT 0,
  open_requests integer NOT NULL DEFAULT 0,
  created_at bigint NOT NULL,
  updated_at bigint NOT NULL,
  archived_at bigint,
  deleted_at bigint
) WITH (fillfactor = 80);
-- ;;
CREATE INDEX sessions_list ON sessions (workspace_id, created_at, session_id) WHERE deleted_at IS NULL;
-- ;;
CREATE UNIQUE INDEX sessions_external ON sessions (workspace_id, origin, external_thread_key)
  WHERE external_thread_key IS NOT NULL AND deleted_at IS NULL;
-- ;;
CREATE TABLE blobs (
  workspace_id uuid NOT NULL,
  sha256 bytea NOT NULL,
  media_type text NOT NULL,
  size bigint NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  bytes bytea NOT NULL,
  PRIMARY KEY (workspace_id, sha256)
);
