import type { McpProbe } from "@troupe/domain/api/McpProbes"
import type { McpServer } from "@troupe/domain/api/McpServers"
import type { JsonObject } from "@troupe/domain/Json"
import { Effect, Option } from "effect"
import { Caller } from "../gateway/Requests.ts"
import { Reach } from "../runners/Reach.ts"
import type { KnownRunner } from "../runners/RunnerRegistry.ts"
import { bestOfRunners } from "../runners/bestOfRunners.ts"
import { SecretSource } from "../runners/SecretSource.ts"
import { entryOf } from "../sessions/resolveServers.ts"
import { McpTokens } from "./oauth/McpTokens.ts"

/** Longer than a runner takes to give up. */
const withinMs = 15_000

type Found = Omit<McpProbe, "type" | "server_id">

const outcome = (status: McpProbe["status"], reason: string | null, more: Partial<Found> = {}): Found => ({
  status,
  reason,
  runner_id: null,
  tools: [],
  has_resources: false,
  has_prompts: false,
  problems: [],
  ...more
})

/** What sessions of the workspace send to the server at this moment. */
const secretOf = Effect.fnUntraced(function* (entry: JsonObject) {
  const { workspaceId } = yield* Caller
  const source = yield* SecretSource
  const [secret] = yield* Effect.orDie(source.all({ workspaceId }, { models: [], mcpServers: [entry] }))
  return secret ?? null
})

const ask = Effect.fnUntraced(function* ({ name, runnerId }: KnownRunner, server: JsonObject) {
  const reach = yield* Reach
  const secret = (yield* secretOf(server))?.value ?? null
  const asked = yield* reach
    .call(runnerId, "ProbeMcpServer", { server, secret })
    .pipe(Effect.timeoutOption(withinMs), Effect.result)
  if (asked._tag === "Failure") return outcome("not_probed", asked.failure.message)
  if (Option.isNone(asked.success)) return outcome("not_probed", `runner ${name} gave no answer`)
  const probed = asked.success.value
  switch (probed.outcome) {
    case "listed":
      return outcome("usable", null, { ...probed.listing, runner_id: runnerId })
    case "unauthorized":
      return outcome("login_required", probed.detail, { runner_id: runnerId })
    case "failed":
      return outcome("unusable", probed.detail, { runner_id: runnerId })
  }
})

const order: ReadonlyArray<McpProbe["status"]> = ["usable", "login_required", "unusable", "not_probed"]
const rank = ({ status }: Found) => order.indexOf(status)

/** Tokens that have ended are renewed, as they are for a session, and the server is asked once more. */
const asSessions = Effect.fnUntraced(function* (runner: KnownRunner, server: McpServer) {
  const entry = entryOf(server.name, server)
  const first = yield* ask(runner, entry)
  if (first.status !== "login_required" || server.authorization !== "connected") return first
  const { workspaceId } = yield* Caller
  const used = yield* secretOf(entry)
  yield* (yield* McpTokens).renew(workspaceId, server.id, used?.version ?? 0)
  const newer = yield* secretOf(entry)
  return newer === null || newer.version === used?.version ? first : yield* ask(runner, entry)
})

/** Has a runner of the workspace ask the server what it has, as a session's turn would. */
export const probeServer = Effect.fn("probeServer")(function* (server: McpServer) {
  const found =
    server.server.type === "stdio"
      ? outcome("not_probed", "It runs inside of sessions' sandboxes: what it has is seen there")
      : yield* bestOfRunners(
          (runner) => asSessions(runner, server),
          rank,
          outcome("not_probed", "No runner is connected, and they are who asks")
        )
  return { type: "mcp_probe", server_id: server.id, ...found } satisfies McpProbe
})
