import type { Actor } from "@troupe/domain/Actor"
import { toUuid, type WorkspaceId } from "@troupe/domain/Ids"
import { noSettings, WorkspaceSettings } from "@troupe/domain/workspace/WorkspaceSettings"
import { Context, Effect, Layer, Schema } from "effect"
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
}

/** What workspaces have settled for all their sessions. */
export class SettingsStore extends Context.Service<
  SettingsStore,
  {
    readonly get: (workspaceId: WorkspaceId) => Effect.Effect<Settled, SqlError | SettingsUnreadable>
    readonly put: (workspaceId: WorkspaceId, settings: WorkspaceSettings, actor: Actor) => Effect.Effect<void, SqlError>
    /** Lets the soft limits pass for this day. */
    readonly pass: (workspaceId: WorkspaceId, day: string, actor: Actor) => Effect.Effect<void, SqlError>
  }
>()("server/SettingsStore") {
  static readonly layer: Layer.Layer<SettingsStore, never, SqlClient.SqlClient | WorkspaceLog | Minting> = Layer.effect(
    SettingsStore,
    Effect.suspend(() => make)
  )
}

const decode = Schema.decodeUnknownEffect(WorkspaceSettings)
const encode = Schema.encodeSync(Schema.fromJsonString(WorkspaceSettings))

const make = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const note = yield* makeNotes

  const get: SettingsStore["Service"]["get"] = Effect.fn("SettingsStore.get")(function* (workspaceId) {
    const [row] = yield* sql<{ readonly settings: unknown; readonly passed: string | null }>`
      SELECT settings, passed_on::text AS passed FROM workspace_settings WHERE workspace_id = ${toUuid(workspaceId)!}`
    if (row === undefined) return { settings: noSettings, passedOn: null }
    const settings = yield* Effect.mapError(
      decode(row.settings),
      (issue) => new SettingsUnreadable({ workspaceId, detail: String(issue).slice(0, 1_000) })
    )
    return { settings, passedOn: row.passed }
  })

  const put: SettingsStore["Service"]["put"] = Effect.fn("SettingsStore.put")((workspaceId, settings, actor) =>
    sql.withTransaction(
      Effect.andThen(
        sql`
          INSERT INTO workspace_settings (workspace_id, settings) VALUES (${toUuid(workspaceId)!}, ${encode(settings)}::json)
          ON CONFLICT (workspace_id) DO UPDATE SET settings = excluded.settings, updated_at = now()`,
        note(workspaceId, actor, { _tag: "SettingsChanged", settings })
      )
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

  return SettingsStore.of({ get, put, pass })
})
