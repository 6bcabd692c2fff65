import { RunnerId, WorkspaceId } from "@troupe/domain/Ids"
import { Context, Effect, Layer, Redacted, Schema } from "effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import { createHash } from "node:crypto"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { errorText, writeWhole } from "../journal/files.ts"
import { StateLock } from "./StateLock.ts"
import { backoff } from "./backoff.ts"

const Stored = Schema.Struct({
  runnerId: RunnerId,
  workspaceId: WorkspaceId,
  credential: Schema.String,
  /** Of the registration token that was exchanged for it: another token asks for another identity. */
  tokenSha256: Schema.String
})
const StoredJson = Schema.fromJsonString(Stored)

const Registered = Schema.Struct({ runner_id: RunnerId, workspace_id: WorkspaceId, credential: Schema.String })

export interface RunnerIdentity {
  readonly runnerId: RunnerId
  readonly workspaceId: WorkspaceId
  readonly credential: Redacted.Redacted
}

/** This runner has no identity and no token that would give it one. */
export class NotRegistered extends Schema.TaggedError<NotRegistered>()("NotRegistered", {
  reason: Schema.Literals(["noToken", "refused", "unreadable"]),
  detail: Schema.String
}) {
  override get message() {
    const what = {
      noToken:
        "This runner is not registered yet and has no registration token. Give one with --token-file or --token-fd",
      refused: "The registration token was refused. Make a new one",
      unreadable: "This runner's identity can't be read. Remove the file, and register it again with a token"
    }[this.reason]
    return this.detail === "" ? what : `${what}: ${this.detail}`
  }
}

export interface IdentityOptions {
  readonly servers: ReadonlyArray<string>
  readonly token: Redacted.Redacted | null
  readonly name: string
  readonly labels: ReadonlyArray<string>
}

/** Who this runner is: exchanged for a registration token once, and kept for its owner's eyes. */
export class Identity extends Context.Service<Identity, RunnerIdentity>()("runner/Identity") {
  static readonly layer = (options: IdentityOptions) => Layer.effect(Identity, load(options))
}

const digest = (token: Redacted.Redacted): string => createHash("sha256").update(Redacted.value(token)).digest("hex")

const load = Effect.fnUntraced(function* (options: IdentityOptions) {
  const { state } = yield* StateLock
  const path = join(state, "identity.json")
  const stored = yield* read(path)
  const { token } = options
  if (stored !== null && (token === null || stored.tokenSha256 === digest(token))) return toIdentity(stored)
  if (token === null) return yield* new NotRegistered({ reason: "noToken", detail: "" })
  const fresh = yield* register(options, token)
  const next = {
    runnerId: fresh.runner_id,
    workspaceId: fresh.workspace_id,
    credential: fresh.credential,
    tokenSha256: digest(token)
  }
  yield* Effect.try({
    try: () => writeWhole(path, Schema.encodeSync(StoredJson)(next)),
    catch: (cause) => new NotRegistered({ reason: "unreadable", detail: errorText(cause) })
  })
  yield* Effect.logInfo("Registered").pipe(Effect.annotateLogs({ runnerId: next.runnerId }))
  return toIdentity(next)
})

const toIdentity = ({ credential, runnerId, workspaceId }: typeof Stored.Type): RunnerIdentity => ({
  runnerId,
  workspaceId,
  credential: Redacted.make(credential)
})

const read = (path: string) =>
  Effect.try({
    try: () => (existsSync(path) ? Schema.decodeUnknownSync(StoredJson)(readFileSync(path, "utf8")) : null),
    // The parser's own words could quote the credential.
    catch: () => new NotRegistered({ reason: "unreadable", detail: path })
  })

/** Asks one server after the other until one answers. */
const register = Effect.fnUntraced(function* ({ labels, name, servers }: IdentityOptions, token: Redacted.Redacted) {
  const client = yield* HttpClient.HttpClient
  const pause = backoff()
  for (let tries = 0; ; tries++) {
    const server = servers[tries % servers.length]!
    const request = HttpClientRequest.post(`${server}/v1/runners/register`).pipe(
      HttpClientRequest.bearerToken(token),
      HttpClientRequest.bodyJsonUnsafe({ name, labels })
    )
    const result = yield* Effect.result(
      Effect.gen(function* () {
        const response = yield* client.execute(request)
        if (response.status >= 400 && response.status < 500 && response.status !== 429) return response.status
        return yield* HttpClientResponse.schemaBodyJson(Registered)(yield* HttpClientResponse.filterStatusOk(response))
      }).pipe(Effect.timeout(15_000))
    )
    if (result._tag === "Success") {
      if (typeof result.success !== "number") return result.success
      return yield* new NotRegistered({ reason: "refused", detail: `${server} answered ${result.success}` })
    }
    yield* Effect.logWarning("Could not register, and will try again").pipe(
      Effect.annotateLogs({ server, error: result.failure._tag })
    )
    if ((tries + 1) % servers.length === 0) yield* pause.wait
  }
})
