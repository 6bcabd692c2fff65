-- What a workspace has settled for all its sessions, and what they used.

CREATE TABLE workspace_settings (
  workspace_id uuid PRIMARY KEY REFERENCES workspaces,
  settings json NOT NULL,
  -- The day, in UTC, for which somebody let the soft limits pass.
  passed_on date,
  updated_at timestamptz NOT NULL DEFAULT now()
);
-- ;;
-- Filled from the log. Days are UTC. A row without a model holds the tool calls.
CREATE TABLE usage_days (
  generation integer NOT NULL,
  workspace_id uuid NOT NULL,
  day date NOT NULL,
  session_id uuid NOT NULL,
  agent_id text COLLATE "C" NOT NULL,
  model text COLLATE "C" NOT NULL,
  model_requests bigint NOT NULL,
  estimated_requests bigint NOT NULL,
  unpriced_requests bigint NOT NULL,
  input_tokens bigint NOT NULL,
  output_tokens bigint NOT NULL,
  cache_read_tokens bigint NOT NULL,
  cache_write_tokens bigint NOT NULL,
  web_searches bigint NOT NULL,
  web_fetches bigint NOT NULL,
  cost_micro_usd bigint NOT NULL,
  tool_calls bigint NOT NULL,
  PRIMARY KEY (generation, workspace_id, day, session_id, agent_id, model)
);
-- ;;
-- What an event that ends a request leaves out: which model it was asked of. Gone when it has ended.
CREATE TABLE usage_requests (
  generation integer NOT NULL,
  session_id uuid NOT NULL,
  request_id text COLLATE "C" NOT NULL,
  model text COLLATE "C" NOT NULL,
  PRIMARY KEY (generation, session_id, request_id)
);
-- ;;
-- Whose work a thread's is.
CREATE TABLE usage_threads (
  generation integer NOT NULL,
  session_id uuid NOT NULL,
  thread_id text COLLATE "C" NOT NULL,
  agent_id text COLLATE "C" NOT NULL,
  PRIMARY KEY (generation, session_id, thread_id)
);
-- ;;
DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'troupe_app') AND current_user <> 'troupe_app' THEN
    GRANT SELECT, INSERT, UPDATE, DELETE ON workspace_settings, usage_days, usage_requests, usage_threads TO troupe_app;
  END IF;
END $$;
