-- Turns that have to wait: behind another one, for a person who lets them begin, or for a runner. Filled from the log; a row goes
-- when the turn does, so that counting all of them is quick however many turns there were.
CREATE TABLE waiting_turns (
  generation integer NOT NULL,
  session_id uuid NOT NULL,
  turn_id text COLLATE "C" NOT NULL,
  thread_id text COLLATE "C" NOT NULL,
  -- The message that it begins with; null where it is tried again.
  input_id text COLLATE "C",
  waits_for text COLLATE "C" NOT NULL CHECK (waits_for IN ('turn', 'person', 'runner')),
  -- Microseconds since 1970, as events have them.
  since bigint NOT NULL,
  PRIMARY KEY (generation, session_id, turn_id)
);
-- ;;
DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'troupe_app') AND current_user <> 'troupe_app' THEN
    GRANT SELECT, INSERT, UPDATE, DELETE ON waiting_turns TO troupe_app;
  END IF;
END $$;
