-- What people are asked, across sessions, and what lists of turns and purges look for.

-- Filled from the log: a row stands for as long as nobody has answered.
CREATE TABLE inbox (
  generation integer NOT NULL,
  workspace_id uuid NOT NULL,
  session_id uuid NOT NULL,
  call_id uuid NOT NULL,
  kind text COLLATE "C" NOT NULL CHECK (kind IN ('approval', 'question')),
  thread_id text COLLATE "C" NOT NULL,
  turn_id text COLLATE "C" NOT NULL,
  seq integer NOT NULL,
  -- Microseconds since 1970, as events have them.
  asked_at bigint NOT NULL,
  expires_at bigint,
  tool text NOT NULL,
  server text,
  executor text NOT NULL,
  -- The call as its event says it; null once redacted.
  input json,
  input_digest text NOT NULL,
  question json,
  reason text,
  rule text NOT NULL,
  PRIMARY KEY (generation, session_id, call_id)
);
-- ;;
CREATE INDEX inbox_list ON inbox (generation, workspace_id, kind, asked_at, call_id);
-- ;;
CREATE INDEX inbox_call ON inbox (call_id);
-- ;;
CREATE INDEX events_turns ON events (stream_id, seq)
  WHERE type IN ('TurnStarted', 'TurnCompleted', 'TurnFailed', 'TurnInterrupted', 'TurnRetried');
-- ;;
CREATE INDEX sessions_deleted ON sessions (deleted_at) WHERE deleted_at IS NOT NULL;
-- ;;
DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'troupe_app') AND current_user <> 'troupe_app' THEN
    GRANT SELECT, INSERT, UPDATE, DELETE ON inbox TO troupe_app;
  END IF;
END $$;
