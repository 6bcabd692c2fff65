-- The log is written once. This file says who may do what, and stops everyone else.
--
-- An event changes in one way only: through a function that writes what it did, and why, to `redactions` in the same
-- transaction. The trigger on `events` holds everyone to that, owner and superuser included: it wants to see that row.
-- Where roles are separate, only the functions' owner (`troupe_redactor`, who can't log in) passes at all.

CREATE TABLE redactions (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
  stream_id uuid NOT NULL,
  -- event, mark (what is kept of an accepted command), command (a rejected one) or stream
  kind text NOT NULL CHECK (kind IN ('event', 'mark', 'command', 'stream')),
  seq integer,
  command_id uuid,
  -- SHA-256 of what stands in the payload's place.
  replacement bytea,
  -- Where the stream stood: after a purge, all that is left of it.
  version integer NOT NULL,
  chain bytea NOT NULL,
  reason text NOT NULL,
  actor text NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
-- ;;
CREATE INDEX redactions_stream ON redactions (stream_id, xid);
-- ;;
CREATE FUNCTION troupe_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% of % is not allowed: it is written once', TG_OP, TG_TABLE_NAME
    USING ERRCODE = 'insufficient_privilege';
END $$;
-- ;;
CREATE FUNCTION troupe_guard_event() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  redactor text;
  allowed boolean := false;
BEGIN
  SELECT pg_get_userbyid(proowner) INTO redactor FROM pg_proc WHERE oid = 'troupe_redact_event'::regproc;
  IF current_user <> redactor THEN
    RAISE EXCEPTION '% of an event is not allowed: the log is written once', TG_OP
      USING ERRCODE = 'insufficient_privilege', HINT = 'troupe_redact_event takes out its content';
  END IF;
  IF TG_OP = 'DELETE' THEN
    PERFORM FROM redactions r
      WHERE r.stream_id = OLD.stream_id AND r.xid = pg_current_xact_id() AND r.kind = 'stream';
    IF FOUND THEN
      RETURN OLD;
    END IF;
  ELSE
    -- What is left of the row is what was there, whoever wrote the statement, but for what the record names.
    PERFORM FROM redactions r
      WHERE r.stream_id = OLD.stream_id AND r.xid = pg_current_xact_id() AND r.kind = 'event' AND r.seq = OLD.seq
        AND r.replacement = sha256(convert_to(NEW.payload::text, 'UTF8'));
    IF FOUND THEN
      OLD.payload := NEW.payload;
      OLD.salt := NULL;
      allowed := true;
    END IF;
    PERFORM FROM redactions r
      WHERE r.stream_id = OLD.stream_id AND r.xid = pg_current_xact_id() AND r.kind = 'mark' AND r.seq = OLD.seq;
    IF FOUND THEN
      OLD.command_body := NEW.command_body;
      allowed := true;
    END IF;
    IF allowed THEN
      RETURN OLD;
    END IF;
  END IF;
  RAISE EXCEPTION '% of an event without a record of it is not allowed', TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;
-- ;;
CREATE TRIGGER events_written_once BEFORE UPDATE OR DELETE ON events
  FOR EACH ROW EXECUTE FUNCTION troupe_guard_event();
-- ;;
CREATE TRIGGER events_never_emptied BEFORE TRUNCATE ON events
  FOR EACH STATEMENT EXECUTE FUNCTION troupe_refuse();
-- ;;
CREATE TRIGGER redactions_written_once BEFORE UPDATE OR DELETE OR TRUNCATE ON redactions
  FOR EACH STATEMENT EXECUTE FUNCTION troupe_refuse();
-- ;;
-- ALWAYS: also where a session claims to be a replica, which silences ordinary triggers.
ALTER TABLE events ENABLE ALWAYS TRIGGER events_written_once;
-- ;;
ALTER TABLE events ENABLE ALWAYS TRIGGER events_never_emptied;
-- ;;
ALTER TABLE redactions ENABLE ALWAYS TRIGGER redactions_written_once;
-- ;;
-- Takes the content out of one event, and with it the salt, so that nobody can try out what it may have said. What
-- stands in the payload's place has the same shape, so that the log still folds, and the same goes for what is kept of
-- the command that led to it, on the command's first event. Whatever was derived is dropped. Answers whether there was
-- something to take out.
CREATE FUNCTION troupe_redact_event(
  stream uuid, event_seq integer, replacement json, mark_seq integer, mark_body text, reason text, actor text
) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
  head heads;
BEGIN
  SELECT * INTO head FROM heads WHERE stream_id = stream FOR NO KEY UPDATE;
  PERFORM FROM events WHERE stream_id = stream AND seq = event_seq AND salt IS NOT NULL FOR UPDATE;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  INSERT INTO redactions (stream_id, kind, seq, replacement, version, chain, reason, actor)
    VALUES (stream, 'event', event_seq, sha256(convert_to(replacement::text, 'UTF8')), head.version, head.chain, reason,
      actor);
  UPDATE events SET payload = replacement, salt = NULL WHERE stream_id = stream AND seq = event_seq;
  IF mark_seq IS NOT NULL THEN
    INSERT INTO redactions (stream_id, kind, seq, version, chain, reason, actor)
      VALUES (stream, 'mark', mark_seq, head.version, head.chain, reason, actor);
    UPDATE events SET command_body = mark_body WHERE stream_id = stream AND seq = mark_seq;
  END IF;
  DELETE FROM snapshots WHERE stream_id = stream;
  RETURN true;
END $$;
-- ;;
-- The same for the body of a command that was rejected, which is in no event.
CREATE FUNCTION troupe_redact_command(stream uuid, command uuid, reason text, actor text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
  head heads;
BEGIN
  SELECT * INTO head FROM heads WHERE stream_id = stream FOR NO KEY UPDATE;
  PERFORM FROM rejections WHERE stream_id = stream AND command_id = command AND body IS NOT NULL FOR UPDATE;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  INSERT INTO redactions (stream_id, kind, command_id, version, chain, reason, actor)
    VALUES (stream, 'command', command, head.version, head.chain, reason, actor);
  UPDATE rejections SET body = NULL WHERE stream_id = stream AND command_id = command;
  RETURN true;
END $$;
-- ;;
-- Removes a stream. Its owner, if it has one, finds no head row at its next append and stops. Answers the number of
-- events that are gone.
CREATE FUNCTION troupe_purge_stream(stream uuid, reason text, actor text) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
  head heads;
  gone integer;
BEGIN
  SELECT * INTO head FROM heads WHERE stream_id = stream FOR UPDATE;
  IF NOT FOUND THEN
    RETURN 0;
  END IF;
  INSERT INTO redactions (stream_id, kind, version, chain, reason, actor)
    VALUES (stream, 'stream', head.version, head.chain, reason, actor);
  DELETE FROM events WHERE stream_id = stream;
  GET DIAGNOSTICS gone = ROW_COUNT;
  DELETE FROM rejections WHERE stream_id = stream;
  DELETE FROM inputs WHERE stream_id = stream;
  DELETE FROM snapshots WHERE stream_id = stream;
  DELETE FROM sessions WHERE session_id = stream;
  DELETE FROM heads WHERE stream_id = stream;
  RETURN gone;
END $$;
-- ;;
-- Functions that run with their owner's rights must not be led to other tables of the same name.
DO $$
DECLARE
  f text;
BEGIN
  FOREACH f IN ARRAY ARRAY[
    'troupe_guard_event()',
    'troupe_redact_event(uuid, integer, json, integer, text, text, text)',
    'troupe_redact_command(uuid, uuid, text, text)',
    'troupe_purge_stream(uuid, text, text)'
  ] LOOP
    EXECUTE format('ALTER FUNCTION %s SET search_path = %I, pg_temp', f, current_schema());
    EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', f);
  END LOOP;
END $$;
-- ;;
-- Roles exist where the launcher made them, or an administrator did. Elsewhere one role does everything, and the triggers
-- stand alone.
DO $$
DECLARE
  f text;
  here text := current_schema();
BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'troupe_app') AND current_user <> 'troupe_app' THEN
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO troupe_app', here);
    GRANT SELECT, INSERT ON events, rejections, inputs, blobs TO troupe_app;
    GRANT SELECT, INSERT, UPDATE ON heads, sessions TO troupe_app;
    GRANT SELECT, INSERT, UPDATE, DELETE ON snapshots TO troupe_app;
    GRANT SELECT ON redactions TO troupe_app;
    GRANT EXECUTE ON FUNCTION troupe_redact_event, troupe_redact_command, troupe_purge_stream TO troupe_app;
  END IF;
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'troupe_redactor') AND pg_has_role(current_user, 'troupe_redactor', 'MEMBER') THEN
    EXECUTE format('GRANT USAGE, CREATE ON SCHEMA %I TO troupe_redactor', here);
    GRANT SELECT, INSERT ON redactions TO troupe_redactor;
    GRANT SELECT, UPDATE (payload, salt, command_body), DELETE ON events TO troupe_redactor;
    GRANT SELECT, UPDATE (body), DELETE ON rejections TO troupe_redactor;
    GRANT SELECT, UPDATE (epoch), DELETE ON heads TO troupe_redactor;
    GRANT SELECT, DELETE ON inputs, snapshots, sessions TO troupe_redactor;
    FOREACH f IN ARRAY ARRAY['troupe_redact_event', 'troupe_redact_command', 'troupe_purge_stream'] LOOP
      EXECUTE format('ALTER FUNCTION %s OWNER TO troupe_redactor', f);
    END LOOP;
    EXECUTE format('REVOKE CREATE ON SCHEMA %I FROM troupe_redactor', here);
  END IF;
END $$;
