import { type EventId, fromTime, fromUuid, type ThreadId } from "@troupe/domain/Ids"
import type { Json, JsonObject } from "@troupe/domain/Json"
import type { Content } from "@troupe/domain/session/Content"
import type { HistoryItem } from "@troupe/domain/session/HistoryItem"
import type { AgentSnapshot } from "@troupe/domain/session/Opening"
import type { Call } from "@troupe/domain/session/SessionState"
import { Effect, Scope } from "effect"
import { createHash, randomFillSync } from "node:crypto"
import { join } from "node:path"
import { mkdirSync } from "node:fs"
import { FetchRefused, type SafeFetch } from "../../src/egress/SafeFetch.ts"
import { type Mount, places, type SandboxBackend } from "../../src/sandbox/Sandbox.ts"
import { SandboxHome } from "../../src/sandbox/SandboxHome.ts"
import { Scrubber } from "../../src/secrets/Scrubber.ts"
import { newSandboxId, plainSpec, temporaryState } from "../../src/sandbox/trial.ts"
import { makeToolPlace, spillTarget } from "../../src/tools/makeToolPlace.ts"
import { makeSpillDirectory } from "../../src/tools/SpillDirectory.ts"
import type { Tool } from "../../src/tools/Tool.ts"
import { planTold } from "../../src/tools/platform/updatePlan.ts"
import { toolCatalog, type ToolParts } from "../../src/tools/toolCatalog.ts"
import { makeToolGateway, type GatewayOptions } from "../../src/tools/ToolGateway.ts"
import type { ToolPlace } from "../../src/tools/ToolPlace.ts"
import { MemoryFrames } from "./MemoryFrames.ts"

export const newCallId = (): EventId => fromTime("sevt", 1, randomFillSync(new Uint8Array(10))) as EventId

const zeros = "0".repeat(64)

export const toolset = (config: JsonObject = {}): JsonObject => ({ type: "agent_toolset_20260401", ...config })

export const agentWith = (
  tools: ReadonlyArray<JsonObject>,
  policies: ReadonlyArray<JsonObject> = []
): AgentSnapshot => ({
  agentId: fromUuid("agent", "00000000-0000-7000-8000-000000000001") as AgentSnapshot["agentId"],
  version: 1,
  digest: zeros,
  name: "tester",
  description: null,
  model: { id: "demo" },
  auxModel: null,
  system: null,
  harness: "shell",
  tools,
  mcpServers: [],
  skills: [],
  policies,
  multiagent: null
})

export const noFetch: SafeFetch["Service"] = {
  fetch: () => Effect.fail(new FetchRefused({ host: "nowhere", reason: "address", detail: "no network in this test" }))
}

export const noPlace = (): ToolPlace => ({
  backend: "process",
  isolation: "namespaces",
  exec: () => Effect.die("nothing runs in this test"),
  shell: { run: () => Effect.die("nothing runs in this test"), restart: Effect.void },
  mounts: [],
  workspace: places.workspace,
  spill: () => Effect.die("nothing is spilled in this test"),
  putBlob: putBlob(new Map())
})

const putBlob =
  (blobs: Map<string, Uint8Array>): ToolPlace["putBlob"] =>
  (bytes, mediaType) =>
    Effect.sync(() => {
      const sha256 = createHash("sha256").update(bytes).digest("hex")
      blobs.set(sha256, bytes)
      return { sha256, bytes: bytes.length, mediaType, preview: "" }
    })

export interface PlaceWorld {
  readonly place: ToolPlace
  /** On the host: the sandbox's home, and what is mounted from it. */
  readonly home: string
  readonly workspace: string
  readonly uploads: string
  readonly outputs: string
  readonly spilled: string
  readonly blobs: Map<string, Uint8Array>
}

/** A session's place on a real backend, gone when the scope closes. `path`: where its programs are looked for. */
export const placeOn = Effect.fnUntraced(function* (
  backend: SandboxBackend,
  path = "/usr/local/bin:/usr/bin:/bin",
  more: ReadonlyArray<Mount> = []
) {
  const directory = yield* temporaryState("troupe-tools-")
  const homes = yield* Effect.provide(Effect.service(SandboxHome), SandboxHome.layer(join(directory, "state")))
  const sandboxId = newSandboxId()
  const { account, home, mounts, outputs, uploads, workspace } = yield* homes.open(sandboxId)
  const spilled = join(home, "tool-output")
  mkdirSync(spilled, { mode: 0o755 })
  const all = [...mounts, { source: spilled, target: spillTarget, readOnly: true }, ...more]
  const spec = {
    ...plainSpec({ home, mounts: all }, sandboxId),
    size: { cpus: 2, memoryMb: 512, diskMb: 512, processes: 128 },
    variables: { PATH: path, LANG: "C.UTF-8" }
  }
  const scope = yield* Effect.scope
  const sandbox = yield* Effect.cached(
    Effect.acquireRelease(backend.create(spec), ({ destroy }) => destroy).pipe(Scope.provide(scope))
  )
  const blobs = new Map<string, Uint8Array>()
  const place = yield* makeToolPlace({
    backend: backend.name,
    isolation: backend.isolation,
    sandbox,
    mounts: all,
    ...(account.switched ? { owner: account } : {}),
    spill: makeSpillDirectory({
      directory: spilled,
      target: backend.isolation === "none" ? spilled : spillTarget
    }),
    putBlob: putBlob(blobs)
  })
  return { place, home, workspace, uploads, outputs, spilled, blobs } satisfies PlaceWorld
}, Effect.orDie)

export const threadId = fromUuid("sthr", "00000000-0000-7000-8000-000000000002") as ThreadId

/** Everything is allowed, also where nothing isolates. */
export const trusting = [{ type: "rules", rules: [{ tool: "*", then: "allow" }] }]

export interface GatewayWorld extends Partial<Omit<GatewayOptions, "request" | "tools">> {
  readonly agentTools?: ReadonlyArray<JsonObject>
  readonly policies?: ReadonlyArray<JsonObject>
  readonly preset?: string
  readonly layers?: Partial<GatewayOptions["request"]["policies"]>
  readonly calls?: ReadonlyArray<Call>
  readonly grants?: ReadonlyArray<string>
  readonly history?: ReadonlyArray<HistoryItem>
  readonly others?: ReadonlyArray<Tool>
  readonly parts?: Partial<ToolParts>
  readonly frames?: MemoryFrames
}

const nothingElse = { server: [], workspace: [], session: [] }

/** A gateway over frames in memory. */
export const gatewayOf = (world: GatewayWorld) => {
  const { frames = new MemoryFrames() } = world
  const place = world.place ?? noPlace()
  const overrides = world.preset === undefined ? {} : { permissionPreset: world.preset }
  const agent = agentWith(world.agentTools ?? [toolset()], world.policies)
  const parts = {
    place,
    fetch: noFetch,
    search: null,
    summarizer: null,
    planned: planTold(frames, threadId),
    others: world.others ?? [],
    ...world.parts
  }
  const { problems, tools } = toolCatalog({ agent, overrides, environment: null }, parts)
  const { calls = [], grants = [], history = [] } = world
  const gateway = makeToolGateway({
    request: { agent, overrides, calls, history, policies: { ...nothingElse, ...world.layers } },
    classifier: world.classifier ?? null,
    isGranted: world.isGranted ?? ((key) => grants.includes(key)),
    frames,
    place,
    tools,
    scrubber: world.scrubber ?? new Scrubber(),
    mintCallId: Effect.sync(newCallId)
  })
  const call = (name: string, input: Json, callId?: EventId) =>
    gateway.call({ requestId: null, providerCallId: "p1", name, input, ...(callId === undefined ? {} : { callId }) })
  return { gateway, frames, problems, call }
}

export const textOf = (content: Content): string =>
  content.map((block) => (block.type === "text" ? block.text : `<${block.type}>`)).join("")

/** A tool that a test plays. */
export const tool = (
  spec: Partial<Tool["spec"]> & { readonly name: string },
  own: Partial<Omit<Tool, "spec">> = {}
): Tool => ({
  spec: {
    server: null,
    description: "a tool of the test",
    inputSchema: { type: "object" },
    readOnly: false,
    idempotent: false,
    ...spec
  },
  executor: "function",
  policy: { type: "always_allow" },
  paths: [],
  scripts: [],
  timeoutMs: () => 10_000,
  changes: () => null,
  run: () => Effect.succeed({ content: [{ type: "text", text: "done" }] }),
  ...own
})
