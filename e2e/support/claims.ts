import { fromUuid, prefixes } from "@troupe/domain/Ids"
import { Effect } from "effect"
import { SqlClient } from "effect/sql/SqlClient"

/** Has a database write down each epoch that is taken, with the version at that time. Run by its superuser. */
export const noteClaims = [
  "CREATE SCHEMA judge",
  "CREATE TABLE judge.claims (stream_id uuid, epoch int, version int)",
  `CREATE FUNCTION judge.note() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
    INSERT INTO judge.claims VALUES (NEW.stream_id, NEW.epoch, NEW.version);
    RETURN NULL;
  END $$`,
  "CREATE TRIGGER note_claims AFTER INSERT OR UPDATE OF epoch ON heads FOR EACH ROW EXECUTE FUNCTION judge.note()",
  "GRANT USAGE ON SCHEMA judge TO troupe_app",
  "GRANT SELECT ON judge.claims TO troupe_app"
]

/** Epochs of sessions as they were taken, where the database has written them down. */
export const claimsNoted = Effect.gen(function* () {
  const sql = yield* SqlClient
  const [there] = yield* sql<{ readonly noted: boolean }>`SELECT to_regclass('judge.claims') IS NOT NULL AS noted`
  if (there?.noted !== true) return () => undefined
  const rows = yield* sql<{ readonly id: string; readonly epoch: number; readonly version: number }>`
    SELECT stream_id::text AS id, epoch, version FROM judge.claims`
  const claims = Map.groupBy(rows, ({ id }) => fromUuid(prefixes.Session, id))
  return (sessionId: string) => (claims.get(sessionId) ?? []).map(({ epoch, version }) => ({ epoch, version }))
})
