-- How the workspace is let in by MCP servers that want OAuth. Tokens are sealed by a key that the database does not have.
CREATE TABLE mcp_authorizations (
  server_id uuid PRIMARY KEY REFERENCES mcp_servers ON DELETE CASCADE,
  workspace_id uuid NOT NULL REFERENCES workspaces,
  -- What may be shown: whose tokens they are, for what, and until when.
  shown json NOT NULL,
  secret bytea NOT NULL,
  -- While a node renews the tokens, no other does: a refresh token is used once.
  renewed_until timestamptz
);
-- ;;
-- Logins under way, by the digest of what comes back with the person: each is used once.
CREATE TABLE mcp_logins (
  state_digest bytea PRIMARY KEY,
  server_id uuid NOT NULL REFERENCES mcp_servers ON DELETE CASCADE,
  workspace_id uuid NOT NULL REFERENCES workspaces,
  secret bytea NOT NULL,
  expires_at bigint NOT NULL
);
-- ;;
CREATE INDEX mcp_logins_server ON mcp_logins (server_id);
-- ;;
CREATE INDEX mcp_logins_expiry ON mcp_logins (expires_at);
-- ;;
DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'troupe_app') AND current_user <> 'troupe_app' THEN
    GRANT SELECT, INSERT, UPDATE, DELETE ON mcp_authorizations, mcp_logins TO troupe_app;
  END IF;
END $$;
