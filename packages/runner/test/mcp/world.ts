import { assert } from "@effect/vitest"
import type { Json, JsonObject } from "@troupe/domain/Json"
import { Effect, Layer, type Scope } from "effect"
import { spawn } from "node:child_process"
import { readdirSync, readFileSync } from "node:fs"
import { createServer } from "node:net"
import type { AddressInfo } from "node:net"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { TrustStore } from "../../src/egress/TrustStore.ts"
import { nobody } from "../../src/mcp/McpPeople.ts"
import { McpSessions } from "../../src/mcp/McpSessions.ts"
import type { McpTurn, PlatformNoted } from "../../src/mcp/McpTurn.ts"
import { bubblewrap } from "../../src/sandbox/Bubblewrap.ts"
import { newSessionId } from "../../src/sandbox/trial.ts"
import type { Names } from "../support/outbound.ts"
import { outbound } from "../support/outbound.ts"
import { gatewayOf, noPlace, placeOn, textOf } from "../tools/world.ts"

export const slow = 120_000

const modules = fileURLToPath(new URL("../../../../node_modules", import.meta.url))

/** A file of one of the official packages. */
export const packageFile = (name: string, path: string): string => join(modules, "@modelcontextprotocol", name, path)

/** The program of a server from npm, on this machine. */
const program = (name: string): string => packageFile(name, "dist/index.js")

const modulesInside = "/opt/node_modules"
const fixtures = fileURLToPath(new URL("fixtures", import.meta.url))

/** A place in bubblewrap that has Node, the servers from npm, and those of these tests. */
export const sandboxWithNode = placeOn(bubblewrap(), undefined, [
  { source: modules, target: modulesInside, readOnly: true },
  { source: dirname(process.execPath), target: "/opt/node", readOnly: true },
  { source: fixtures, target: "/opt/fixtures", readOnly: true }
])

export const stdio = (
  name: string,
  script: string,
  args: ReadonlyArray<string> = [],
  troupe: JsonObject = {}
): JsonObject => ({
  type: "stdio",
  name,
  command: "/opt/node/node",
  args: [script, ...args],
  troupe
})
export const fromNpm = (name: string) => program(name).replace(modules, modulesInside)

export const url = (name: string, address: string, troupe: JsonObject = {}): JsonObject => ({
  type: "url",
  name,
  url: address,
  troupe
})

/** All that a server has, allowed. */
export const toolset = (name: string, configs: ReadonlyArray<JsonObject> = []): JsonObject => ({
  type: "mcp_toolset",
  mcp_server_name: name,
  default_config: { permission_policy: { type: "always_allow" } },
  configs
})

export const sessions = (
  alsoAllowed: ReadonlyArray<string> = [],
  timing: Parameters<typeof McpSessions.layer>[0] = {},
  names: Names = {},
  certificates: ReadonlyArray<string> = []
) =>
  McpSessions.layer({ startMs: 60_000, backoffMs: 1, ...timing }).pipe(
    Layer.provide([outbound(alsoAllowed, names), Layer.orDie(TrustStore.layer(certificates))])
  )

export interface TurnOptions extends Partial<Omit<McpTurn, "servers" | "tools" | "noted">> {
  readonly servers: ReadonlyArray<JsonObject>
  readonly tools?: ReadonlyArray<JsonObject>
}

/** A turn with the servers' tools behind a gateway, and what people were told of it. */
export const openTurn = Effect.fnUntraced(function* (options: TurnOptions) {
  const told: Array<PlatformNoted> = []
  const mcp = yield* McpSessions
  const place = options.place ?? noPlace()
  const opened = yield* mcp.open({
    sessionId: newSessionId(),
    place,
    secret: () => Effect.succeed(null),
    refresh: () => Effect.succeed(null),
    people: () => nobody,
    scrub: (text) => text,
    tools: options.servers.map(({ name }) => toolset(String(name))),
    ...options,
    noted: (event) => Effect.sync(() => void told.push(event))
  })
  const gateway = gatewayOf({ place, agentTools: [], others: opened.tools })
  const call = Effect.fnUntraced(function* (name: string, input: Json = {}) {
    const result = yield* gateway.call(name, input)
    if (result._tag !== "Done") return assert.fail(`${name} awaits an answer`)
    return { ...result, text: textOf(result.content) }
  })
  return { ...gateway, ...opened, told, call, names: opened.tools.map(({ spec }) => spec.name) }
})

export const freePort = Effect.callback<number>((resume) => {
  const server = createServer()
  server.listen(0, "127.0.0.1", () => {
    const { port } = server.address() as AddressInfo
    server.close(() => resume(Effect.succeed(port)))
  })
})

/** A server from npm over HTTP, on a free port, once it says that it listens. */
export const serving = Effect.fnUntraced(function* (
  kind: "streamableHttp" | "sse",
  given?: number
): Effect.fn.Return<{ readonly port: number; readonly stop: Effect.Effect<void> }, never, Scope.Scope> {
  const port = given ?? (yield* freePort)
  const child = spawn(process.execPath, [program("server-everything"), kind], {
    env: { PORT: String(port) },
    stdio: ["ignore", "ignore", "pipe"]
  })
  const stop = Effect.callback<void>((resume) => {
    if (child.exitCode !== null || child.signalCode !== null) return resume(Effect.void)
    child.once("exit", () => resume(Effect.void))
    child.kill("SIGKILL")
    return undefined
  })
  yield* Effect.addFinalizer(() => stop)
  yield* Effect.callback<void>((resume) => {
    child.stderr.on("data", (chunk: Buffer) => {
      if (/port \d+/.test(chunk.toString())) resume(Effect.void)
    })
  })
  return { port, stop }
})

/** Processes of this machine that have it among their arguments. */
export const processesWith = (argument: string): ReadonlyArray<number> =>
  readdirSync("/proc").flatMap((name) => {
    try {
      return /^\d+$/.test(name) && readFileSync(`/proc/${name}/cmdline`, "utf8").includes(argument)
        ? [Number(name)]
        : []
    } catch {
      return []
    }
  })

/** One of them, unless it died with another. */
export const kill = (pid: number): void => {
  try {
    process.kill(pid, "SIGKILL")
  } catch {
    // Gone.
  }
}
