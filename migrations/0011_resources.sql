-- What a workspace keeps beside agents and environments: model cards, MCP servers, projects, versions of its policies; and
-- what sessions are searched by.

ALTER TABLE workspace_settings ADD COLUMN version integer NOT NULL DEFAULT 0,
  ADD COLUMN policies_version integer NOT NULL DEFAULT 0;
-- ;;
-- Each version that held, for as long as anybody may ask by what a call was judged.
CREATE TABLE policy_versions (
  workspace_id uuid NOT NULL REFERENCES workspaces,
  version integer NOT NULL,
  policies json NOT NULL,
  created_at bigint NOT NULL,
  PRIMARY KEY (workspace_id, version)
);
-- ;;
-- Secrets are sealed by a key that the database does not have, and bound to their row.
CREATE TABLE model_cards (
  card_id uuid PRIMARY KEY,
  workspace_id uuid NOT NULL REFERENCES workspaces,
  name text COLLATE "C" NOT NULL,
  definition json NOT NULL,
  secret bytea NOT NULL,
  -- Goes up with each value, so that a late one never replaces a newer.
  secret_version integer NOT NULL,
  key_hint text,
  probe json NOT NULL,
  created_at bigint NOT NULL,
  updated_at bigint NOT NULL,
  UNIQUE (workspace_id, name)
);
-- ;;
CREATE INDEX model_cards_list ON model_cards (workspace_id, created_at, card_id);
-- ;;
CREATE TABLE mcp_servers (
  server_id uuid PRIMARY KEY,
  workspace_id uuid NOT NULL REFERENCES workspaces,
  name text COLLATE "C" NOT NULL,
  definition json NOT NULL,
  secret bytea,
  secret_version integer NOT NULL,
  created_at bigint NOT NULL,
  updated_at bigint NOT NULL,
  UNIQUE (workspace_id, name)
);
-- ;;
CREATE INDEX mcp_servers_list ON mcp_servers (workspace_id, created_at, server_id);
-- ;;
CREATE TABLE projects (
  project_id uuid PRIMARY KEY,
  workspace_id uuid NOT NULL REFERENCES workspaces,
  definition json NOT NULL,
  created_at bigint NOT NULL,
  updated_at bigint NOT NULL,
  archived_at bigint
);
-- ;;
CREATE INDEX projects_list ON projects (workspace_id, created_at, project_id);
-- ;;
CREATE INDEX sessions_project ON sessions (project_id, created_at, session_id)
  WHERE project_id IS NOT NULL AND deleted_at IS NULL;
-- ;;
-- Filled from the log: what people and agents said in sessions, and what sessions are called. A document belongs to the event
-- that said it, and goes when that is redacted; a session's go with it.
CREATE TABLE search_documents (
  generation integer NOT NULL,
  session_id uuid NOT NULL REFERENCES sessions ON DELETE CASCADE,
  seq integer NOT NULL,
  field text COLLATE "C" NOT NULL,
  -- Of metadata its key, of messages nothing.
  name text COLLATE "C" NOT NULL,
  workspace_id uuid NOT NULL,
  event_id text COLLATE "C",
  recorded_at bigint NOT NULL,
  content text NOT NULL,
  words tsvector GENERATED ALWAYS AS (to_tsvector('simple', content)) STORED,
  PRIMARY KEY (generation, session_id, seq, field, name)
);
-- ;;
CREATE INDEX search_documents_words ON search_documents USING gin (words);
-- ;;
CREATE INDEX search_documents_session ON search_documents (session_id);
-- ;;
DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'troupe_app') AND current_user <> 'troupe_app' THEN
    GRANT SELECT, INSERT ON policy_versions TO troupe_app;
    GRANT SELECT, INSERT, UPDATE, DELETE ON model_cards, mcp_servers, projects, search_documents TO troupe_app;
  END IF;
END $$;
