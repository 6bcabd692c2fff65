-- Files: what clients upload and agents make. Their content is stored once for a workspace, under its hash.

-- Which content there is, wherever it is kept. Whoever needs one takes the row first, and so does whoever removes it: content
-- is never removed under a file that is being made of it.
CREATE TABLE file_contents (
  workspace_id uuid NOT NULL REFERENCES workspaces,
  sha256 bytea NOT NULL,
  size_bytes bigint NOT NULL,
  -- Milliseconds since 1970, as all times here.
  wanted_at bigint NOT NULL,
  PRIMARY KEY (workspace_id, sha256)
);
-- ;;
CREATE INDEX file_contents_old ON file_contents (wanted_at);
-- ;;
CREATE TABLE files (
  file_id uuid PRIMARY KEY,
  workspace_id uuid NOT NULL REFERENCES workspaces,
  -- The session that it belongs to. No key: a session's own row comes with its first event.
  session_id uuid,
  -- upload: by a client. copy: what a session was given. output: what an agent made.
  origin text COLLATE "C" NOT NULL,
  filename text NOT NULL,
  mime_type text NOT NULL,
  size_bytes bigint NOT NULL,
  sha256 bytea NOT NULL,
  -- Of an output: where in the sandbox it was.
  path text,
  created_at bigint NOT NULL,
  expires_at bigint,
  FOREIGN KEY (workspace_id, sha256) REFERENCES file_contents
);
-- ;;
CREATE INDEX files_list ON files (workspace_id, created_at, file_id);
-- ;;
CREATE INDEX files_session ON files (session_id, created_at, file_id) WHERE session_id IS NOT NULL;
-- ;;
CREATE INDEX files_content ON files (workspace_id, sha256);
-- ;;
CREATE INDEX files_expiry ON files (expires_at) WHERE expires_at IS NOT NULL;
-- ;;
-- Content that is kept in the database: pieces from 1 on, and an empty piece 0 that comes last and says that it is whole.
CREATE TABLE file_pieces (
  workspace_id uuid NOT NULL,
  sha256 bytea NOT NULL,
  n integer NOT NULL,
  bytes bytea NOT NULL,
  PRIMARY KEY (workspace_id, sha256, n)
);
-- ;;
-- Most of it is compressed already, and pieces are read whole.
ALTER TABLE file_pieces ALTER COLUMN bytes SET STORAGE EXTERNAL;
-- ;;
DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'troupe_app') AND current_user <> 'troupe_app' THEN
    GRANT SELECT, INSERT, UPDATE, DELETE ON file_contents, files, file_pieces TO troupe_app;
  END IF;
END $$;
