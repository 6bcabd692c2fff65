import type { Actor } from "@troupe/domain/Actor"
import { canonical } from "@troupe/domain/CanonicalJson"
import { toUuid, type WorkspaceId } from "@troupe/domain/Ids"
import { noSettings, WorkspaceSettings } from "@troupe/domain/workspace/WorkspaceSettings"
import { Clock, Context, Effect, Layer, Schema } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import type { Minting } from "../log/Minting.ts"
import type { WorkspaceLog } from "../log/WorkspaceLog.ts"
import { makeNotes } from "./WorkspaceNotes.ts"

/** Settings were stored by a release that knew more, or spoiled: nobody guesses what they meant. */
export class SettingsUnreadable extends Schema.TaggedError<SettingsUnreadable>()("SettingsUnreadable", {
  workspaceId: Schema.String,
  detail: Schema.String
}) {
  override get message() {
    return `The settings of ${this.workspaceId} can't be read: ${this.detail}`
  }
}

export interface Settled {
  readonly settings: WorkspaceSettings
  /** The day, as YYYY-MM-DD in UTC, for which the soft limits were let pass. */
  readonly passedOn: string | null
  /** Of the settings, and of the policies among them: each goes up with its own changes. */
  readonly version: number
  readonly policiesVersion: number
}

export interface PolicyVersion {
  readonly version: number
  readonly policies: WorkspaceSettings["policies"]
  readonly createdAt: number
}

type Unread = SqlError | SettingsUnreadable

/** What workspaces have settled for all their sessions. */
export class SettingsStore extends Context.Service<
  SettingsStore,
  {
    readonly get: (workspaceId: WorkspaceId) => Effect.Effect<Settled, Unread>
    /** One change after the other; `next` sees what holds before its own. */
    readonly change: <E, R>(
      workspaceId: WorkspaceId,
      actor: Actor,
      next: (before: Settled) => Effect.Effect<WorkspaceSettings, E, R>
    ) => Effect.Effect<Settled, Unread | E, R>
    /** Lets the soft limits pass for this day. */
    readonly pass: (workspaceId: WorkspaceId, day: string, actor: Actor) => Effect.Effect<void, SqlError>
    /** Versions of the policies below `before`, the newest first. */
    readonly policyVersions: (
      workspaceId: WorkspaceId,
      options: { readonly before: number | null; readonly limit: number }
    ) => Effect.Effect<ReadonlyArray<PolicyVersion>, Unread>
  }
>()("server/SettingsStore") {
  static readonly layer: Layer.Layer<SettingsStore, never, SqlClient.SqlClient | WorkspaceLog | Minting> = Layer.effect(
    SettingsStore,
    Effect.suspend(() => make)
  )
}

const decode = Schema.decodeUnknownEffect(WorkspaceSettings)
const encode = Schema.encodeSync(Schema.fromJsonString(WorkspaceSettings))
const decodePolicies = Schema.decodeUnknownEffect(WorkspaceSettings.fields.policies)

const nothing: Settled = { settings: noSettings, passedOn: null, version: 0, policiesVersion: 0 }

const make = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const note = yield* makeNotes

  const unreadable = (workspaceId: WorkspaceId) => (issue: unknown) =>
    new SettingsUnreadable({ workspaceId, detail: String(issue).slice(0, 1_000) })

  const get: SettingsStore["Service"]["get"] = Effect.fn("SettingsStore.get")(function* (workspaceId) {
    const [row] = yield* sql<{
      readonly settings: unknown
      readonly passed: string | null
      readonly version: number
      readonly policiesVersion: number
    }>`
      SELECT settings, passed_on::text AS passed, version, policies_version AS "policiesVersion"
      FROM workspace_settings WHERE workspace_id = ${toUuid(workspaceId)!}`
    if (row === undefined) return nothing
    const settings = yield* Effect.mapError(decode(row.settings), unreadable(workspaceId))
    return { settings, passedOn: row.passed, version: row.version, policiesVersion: row.policiesVersion }
  })

  /** The row to be changed, held until the transaction ends. */
  const held = Effect.fnUntraced(function* (workspaceId: WorkspaceId) {
    const id = toUuid(workspaceId)!
    yield* sql`
      INSERT INTO workspace_settings (workspace_id, settings) VALUES (${id}, ${encode(noSettings)}::json)
      ON CONFLICT DO NOTHING`
    yield* sql`SELECT FROM workspace_settings WHERE workspace_id = ${id} FOR UPDATE`
    return yield* get(workspaceId)
  })

  const keepPolicies = Effect.fnUntraced(function* (
    workspaceId: WorkspaceId,
    version: number,
    { policies }: WorkspaceSettings
  ) {
    const at = yield* Clock.currentTimeMillis
    yield* sql`
      INSERT INTO policy_versions (workspace_id, version, policies, created_at)
      VALUES (${toUuid(workspaceId)!}, ${version}, ${JSON.stringify(policies)}::json, ${at})`
  })

  const write = Effect.fnUntraced(function* (
    workspaceId: WorkspaceId,
    actor: Actor,
    before: Settled,
    settings: WorkspaceSettings
  ) {
    const { policies: _, ...rest } = settings
    const { policies: __, ...restBefore } = before.settings
    const policiesChange = canonical(settings.policies) !== canonical(before.settings.policies)
    const restChanges = canonical(rest) !== canonical(restBefore)
    if (!policiesChange && !restChanges) return before
    const version = before.version + (restChanges ? 1 : 0)
    const policiesVersion = before.policiesVersion + (policiesChange ? 1 : 0)
    yield* sql`
      UPDATE workspace_settings SET settings = ${encode(settings)}::json, version = ${version},
        policies_version = ${policiesVersion}, updated_at = now()
      WHERE workspace_id = ${toUuid(workspaceId)!}`
    if (policiesChange) yield* keepPolicies(workspaceId, policiesVersion, settings)
    yield* note(workspaceId, actor, { _tag: "SettingsChanged", settings })
    return { ...before, settings, version, policiesVersion }
  })

  const change: SettingsStore["Service"]["change"] = Effect.fn("SettingsStore.change")((workspaceId, actor, next) =>
    sql.withTransaction(
      Effect.gen(function* () {
        const before = yield* held(workspaceId)
        return yield* write(workspaceId, actor, before, yield* next(before))
      })
    )
  )

  const pass: SettingsStore["Service"]["pass"] = Effect.fn("SettingsStore.pass")((workspaceId, day, actor) =>
    sql.withTransaction(
      Effect.andThen(
        sql`
          INSERT INTO workspace_settings (workspace_id, settings, passed_on)
          VALUES (${toUuid(workspaceId)!}, ${encode(noSettings)}::json, ${day}::date)
          ON CONFLICT (workspace_id) DO UPDATE SET passed_on = excluded.passed_on, updated_at = now()`,
        note(workspaceId, actor, { _tag: "DayLimitsPassed", day })
      )
    )
  )

  const policyVersions: SettingsStore["Service"]["policyVersions"] = Effect.fn("SettingsStore.policyVersions")(
    function* (workspaceId, { before, limit }) {
      const rows = yield* sql<{ readonly version: number; readonly policies: unknown; readonly createdAt: number }>`
        SELECT version, policies, created_at::float8 AS "createdAt" FROM policy_versions
        WHERE workspace_id = ${toUuid(workspaceId)!} AND version < ${before ?? 2_147_483_647}::bigint
        ORDER BY version DESC LIMIT ${limit}`
      return yield* Effect.forEach(rows, ({ createdAt, policies, version }) =>
        decodePolicies(policies).pipe(
          Effect.mapError(unreadable(workspaceId)),
          Effect.map((read): PolicyVersion => ({ version, createdAt, policies: read }))
        )
      )
    }
  )

  return SettingsStore.of({ get, change, pass, policyVersions })
})
