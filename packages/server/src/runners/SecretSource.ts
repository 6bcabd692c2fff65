import type { SessionId, ThreadId, WorkspaceId } from "@troupe/domain/Ids"
import type { JsonObject } from "@troupe/domain/Json"
import type { Secret } from "@troupe/domain/runner/Attempt"
import { Context, Effect, Layer, Schema } from "effect"
import type { StoreUnavailable } from "../log/EventStore.ts"

export interface SecretsOf {
  readonly workspaceId: WorkspaceId
  readonly sessionId: SessionId
  readonly threadId: ThreadId
}

/** What an attempt may need secrets for. */
export interface SecretNeeds {
  /** Names of models, some of which may be those of cards. */
  readonly models: ReadonlyArray<string>
  /** As the agent has them. */
  readonly mcpServers: ReadonlyArray<JsonObject>
}

export class SecretRefused extends Schema.TaggedError<SecretRefused>()("SecretRefused", {
  name: Schema.String,
  code: Schema.String,
  detail: Schema.String
}) {
  override get message() {
    return `Secret ${this.name} can't be given: ${this.detail}`
  }
}

/** What a thread's attempts must know to work, by name: sent with each run, written down nowhere. */
export class SecretSource extends Context.Service<
  SecretSource,
  {
    readonly all: (
      of: Pick<SecretsOf, "workspaceId">,
      needs: SecretNeeds
    ) => Effect.Effect<ReadonlyArray<Secret>, StoreUnavailable>
    /**
     * The value that comes after `version`: made, if that is still the newest, and else the one that somebody else had
     * made. Many who ask at once for the same are given the same.
     */
    readonly refresh: (of: SecretsOf, name: string, version: number) => Effect.Effect<Secret, SecretRefused>
  }
>()("server/SecretSource") {
  /** No secrets: runners bring their own. */
  static readonly layerEmpty = Layer.succeed(
    SecretSource,
    SecretSource.of({
      all: () => Effect.succeed([]),
      refresh: (_of, name) =>
        Effect.fail(new SecretRefused({ name, code: "unknown_secret", detail: "there is no secret of this name" }))
    })
  )
}
