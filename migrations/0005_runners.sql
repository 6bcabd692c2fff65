-- Workspaces, tokens, and the runners that dial in. Secrets are in none of these tables: of a token there is the hash.

CREATE TABLE workspaces (
  workspace_id uuid PRIMARY KEY,
  name text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);
-- ;;
-- All kinds of tokens. What only some kinds have is null or empty elsewhere.
CREATE TABLE tokens (
  token_id uuid PRIMARY KEY,
  workspace_id uuid NOT NULL REFERENCES workspaces,
  kind text COLLATE "C" NOT NULL,
  -- SHA-256 of 256 random bits: there is nothing to guess, so a slow hash would protect nothing.
  hash bytea NOT NULL UNIQUE,
  -- The last four characters, to recognise it by.
  hint text NOT NULL,
  name text NOT NULL,
  labels text[] NOT NULL DEFAULT '{}',
  scopes text[] NOT NULL DEFAULT '{}',
  subject jsonb,
  -- The token that this one was given for.
  parent_id uuid REFERENCES tokens,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz,
  revoked_at timestamptz,
  last_used_at timestamptz
) WITH (fillfactor = 80);
-- ;;
CREATE INDEX tokens_list ON tokens (workspace_id, created_at, token_id);
-- ;;
CREATE INDEX tokens_parent ON tokens (parent_id) WHERE parent_id IS NOT NULL;
-- ;;
CREATE TABLE runners (
  runner_id uuid PRIMARY KEY,
  workspace_id uuid NOT NULL REFERENCES workspaces,
  token_id uuid NOT NULL UNIQUE REFERENCES tokens,
  name text NOT NULL,
  labels text[] NOT NULL DEFAULT '{}',
  -- The last generation that was given out to a connection, and the one whose connection is registered. A connection
  -- registers only over an older one and takes itself out only while none is newer: the newest wins, in any order.
  allotted integer NOT NULL DEFAULT 0,
  generation integer NOT NULL DEFAULT 0,
  -- The node that holds its socket.
  node text,
  boot_id text,
  journal_id text,
  hello json,
  load_attempts integer NOT NULL DEFAULT 0,
  load_sessions integer NOT NULL DEFAULT 0,
  -- It said itself that it takes nothing more, or an operator did.
  draining boolean NOT NULL DEFAULT false,
  drained boolean NOT NULL DEFAULT false,
  created_at timestamptz NOT NULL DEFAULT now(),
  connected_at timestamptz,
  last_seen_at timestamptz
  -- Rows are touched every other second: none of what changes then is in an index.
) WITH (fillfactor = 50);
-- ;;
CREATE INDEX runners_list ON runners (workspace_id, created_at, runner_id);
-- ;;
-- Calls of platform tools, by the id under which a runner asks for them: the intent before, the answer after. Asked again,
-- after whatever broke, nothing is done twice.
CREATE TABLE asks (
  runner_id uuid NOT NULL REFERENCES runners,
  ask_id text NOT NULL,
  digest bytea NOT NULL,
  -- The start of the node's process that does it.
  node_id uuid NOT NULL,
  answer json,
  asked_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (runner_id, ask_id)
);
-- ;;
DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'troupe_app') AND current_user <> 'troupe_app' THEN
    GRANT SELECT, INSERT, UPDATE ON workspaces, tokens, runners, asks TO troupe_app;
  END IF;
END $$;
