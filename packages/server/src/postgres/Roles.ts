import type * as PgConnection from "@effect/sql-pg/PgConnection"
import { Effect, Redacted } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { createHash } from "node:crypto"
import type { Passwords } from "./Passwords.ts"

/**
 * Roles are the cluster's, not a database's. The owner makes and owns the tables; the application may do what the
 * migrations grant it; the redactor cannot log in and owns the functions that may change what is otherwise written
 * once. The owner may hand a function over to the redactor (SET), and has none of its rights otherwise (no INHERIT).
 */
const statements = (passwords: Passwords): ReadonlyArray<string> => [
  ...["troupe_owner", "troupe_app", "troupe_redactor"].map(
    (role) =>
      `DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '${role}') THEN CREATE ROLE ${role}; END IF; END $$`
  ),
  `ALTER ROLE troupe_owner LOGIN PASSWORD '${Redacted.value(passwords.owner)}'`,
  `ALTER ROLE troupe_app LOGIN PASSWORD '${Redacted.value(passwords.app)}'`,
  "ALTER ROLE troupe_redactor NOLOGIN",
  "GRANT troupe_redactor TO troupe_owner WITH INHERIT FALSE, SET TRUE",
  // A node that freezes in a transaction holds row locks; a successor waits about 10 s for its shards anyway.
  "ALTER ROLE troupe_app SET idle_in_transaction_session_timeout = '5s'",
  "ALTER ROLE troupe_app SET transaction_timeout = '60s'",
  "ALTER ROLE troupe_app SET statement_timeout = '30s'",
  "ALTER ROLE troupe_app SET lock_timeout = '10s'",
  // A migration may rewrite a table for hours; the migrator bounds what it waits for itself.
  "ALTER ROLE troupe_owner SET statement_timeout = 0",
  "ALTER ROLE troupe_owner SET transaction_timeout = 0",
  "REVOKE CONNECT ON DATABASE postgres FROM PUBLIC"
]

const databaseStatements = [
  "REVOKE ALL ON DATABASE troupe FROM PUBLIC",
  "GRANT CONNECT ON DATABASE troupe TO troupe_app"
]

/**
 * Brings roles and database to what this release expects. Every statement may run again, and the digest is written
 * last, so a start that was cut off anywhere is completed by the next one; a warm start costs one query.
 */
export const provision = Effect.fn("Roles.provision")(function* (
  superuser: PgConnection.PgConnection,
  passwords: Passwords
): Effect.fn.Return<void, SqlError> {
  const wanted = [...statements(passwords), ...databaseStatements]
  // A digest of 256 random bits gives nothing away, and with it a password file that was replaced is noticed.
  const digest = createHash("sha256").update(JSON.stringify(wanted)).digest("hex")
  const {
    rows: [row]
  } = yield* superuser.query(
    "SELECT shobj_description(oid, 'pg_database') AS digest FROM pg_database WHERE datname = 'troupe'"
  )
  if (row?.digest === digest) return
  for (const statement of statements(passwords)) yield* superuser.query(statement, [], false)
  if (row === undefined) yield* superuser.query("CREATE DATABASE troupe OWNER troupe_owner", [], false)
  for (const statement of databaseStatements) yield* superuser.query(statement, [], false)
  yield* superuser.query(`COMMENT ON DATABASE troupe IS '${digest}'`, [], false)
})

/**
 * On a server that is not ours the migrations still find the roles they grant to, if we may make them; nobody logs in
 * as them there. Answers whether the redactor guards what is written once, or only the triggers do.
 */
export const provisionExternal = Effect.fn("Roles.provisionExternal")(function* (
  owner: PgConnection.PgConnection
): Effect.fn.Return<{ readonly redactor: boolean }, SqlError> {
  for (const role of ["troupe_app", "troupe_redactor"]) {
    const { rowCount } = yield* owner.query("SELECT FROM pg_roles WHERE rolname = $1", [role])
    if (rowCount === 0) yield* Effect.ignore(owner.query(`CREATE ROLE ${role} NOLOGIN`, [], false))
  }
  yield* Effect.ignore(owner.query("GRANT troupe_redactor TO CURRENT_USER", [], false))
  const {
    rows: [row]
  } = yield* owner.query(
    "SELECT coalesce(pg_has_role(to_regrole('troupe_redactor')::oid, 'MEMBER'), false) AS redactor"
  )
  return { redactor: row?.redactor === true }
})
