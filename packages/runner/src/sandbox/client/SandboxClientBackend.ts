import type { ManifestInput, SandboxClient, SandboxSession } from "@openai/agents/sandbox"
import { Effect } from "effect"
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { isBirthmarkOf, processesMarked, sendSignal } from "../Birthmarks.ts"
import type { BackendProbe, ExecRequest, Sandbox, SandboxBackend, SandboxError, SandboxSpec } from "../Sandbox.ts"
import { attempt, failure } from "../SandboxFailure.ts"
import { accountOf } from "../SandboxHome.ts"
import { findTool } from "../Tools.ts"
import { tryBackend } from "../trial.ts"
import { carriedSandbox } from "./carried/CarriedSandbox.ts"
import { type ClientSandbox, startProcess } from "./ClientProcess.ts"
import { clientProcesses } from "./ClientProcesses.ts"

export interface SandboxClientOptions {
  /** What environments call it. */
  readonly name: string
  readonly client: SandboxClient
  /**
   * `none`: its processes are this host's, and see the host's paths. The others: it puts them into something of its own, with
   * the directories of the host that `manifest` binds; what it promises then is for the conformance suite to say.
   */
  readonly isolation: "container" | "namespaces" | "none"
  /**
   * Binds `mounts` at their targets. Each is a directory or file of this host. Where it is absent and the client isolates, its
   * machine is taken to be elsewhere: files are carried there and back.
   */
  readonly manifest?: (spec: SandboxSpec) => ManifestInput
  /** Its sandboxes reach the egress proxy where others do, and nothing else: `manifest` sees to it. */
  readonly network?: boolean
}

/** Where a client that isolates has to put what we talk with its processes by. */
const talkTarget = "/run/troupe"

/**
 * A backend out of any client for sandboxes of the OpenAI Agents SDK. Such a client runs one command at a time or yields and
 * is asked again, in text. Where its files are this host's, the streams of processes go through named pipes beside it; where
 * they are not, streams and files are carried through its commands.
 */
export const sandboxClientBackend = (options: SandboxClientOptions): SandboxBackend => {
  const { client, isolation, name, network = false } = options
  const fail = failure(name)
  const placeOf = (spec: SandboxSpec) => join(spec.home, name)
  const isCarried = isolation !== "none" && options.manifest === undefined

  const open = Effect.fnUntraced(function* (spec: SandboxSpec): Effect.fn.Return<Sandbox, SandboxError> {
    const account = yield* attempt(name, "the sandbox's home", () => accountOf(spec.home))
    const place = placeOf(spec)
    const withTalk = { ...spec, mounts: [...spec.mounts, { source: place, target: talkTarget, readOnly: true }] }
    yield* endEarlier(options, withTalk, place)
    yield* attempt(name, "the sandbox's home", () => {
      rmSync(place, { recursive: true, force: true })
      mkdirSync(place, { mode: 0o711 })
    })
    if (isCarried) {
      const session = yield* sessionOf(options, spec, place)
      const end = endSession(client, session, place)
      return yield* Effect.onError(
        carriedSandbox({ name, isolation, spec, session, account, place, endSession: end }),
        () => end
      )
    }
    const session = yield* sessionOf(options, withTalk, place)
    const seen = isolation === "none" ? place : talkTarget
    return sandboxOf({ name, isolation, spec, session, account, place, seen }, client)
  })

  const create = Effect.fn("SandboxClientBackend.create")(function* (spec: SandboxSpec) {
    if (spec.network._tag === "Proxied" && !network) {
      return yield* fail({ _tag: "Unusable", detail: "nothing keeps its processes to the egress proxy" })
    }
    yield* endMarked(spec)
    return yield* open(spec)
  })

  const resume = Effect.fn("SandboxClientBackend.resume")(function* (spec: SandboxSpec) {
    if (!existsSync(placeOf(spec))) return yield* fail({ _tag: "Gone", detail: "its home is empty" })
    return yield* create(spec)
  })

  const probed = (usable: boolean, notes: ReadonlyArray<string>): BackendProbe => ({
    usable,
    notes,
    version: null,
    terminal: false,
    network,
    limits: { cpus: null, memory: null, disk: null, processes: null }
  })

  const probe = Effect.gen(function* () {
    const needed = isCarried ? [] : ["mkfifo", "prlimit", "setpriv"]
    const missing = needed.filter((tool) => findTool(tool) === undefined)
    if (missing.length > 0) return probed(false, [`${missing.join(", ")} is not installed`])
    const outcome = yield* Effect.result(tryBackend({ create }))
    if (outcome._tag === "Failure") return probed(false, [outcome.failure.message])
    if (outcome.success._tag !== "Exited" || outcome.success.code !== 0) {
      return probed(false, [`a trial run of \`true\` ended with ${JSON.stringify(outcome.success)}`])
    }
    if (isolation === "none") return probed(true, ["nothing isolates what runs here, and nothing limits it"])
    return probed(true, isCarried ? ["its machine is elsewhere: files are carried there and back"] : [])
  }).pipe(Effect.withSpan("SandboxClientBackend.probe"))

  return { name, isolation, create, resume, probe }
}

const sessionOf = Effect.fnUntraced(function* (
  { client, isolation, manifest, name }: SandboxClientOptions,
  spec: SandboxSpec,
  place: string
): Effect.fn.Return<SandboxSession, SandboxError> {
  const fail = failure(name)
  if (client.create === undefined) return yield* fail({ _tag: "Unusable", detail: "this client makes no sandboxes" })
  const session = yield* Effect.tryPromise({
    try: () => client.create!(manifest === undefined ? undefined : { manifest: manifest(spec) }),
    catch: (cause) => fail({ _tag: "Failed", detail: cause instanceof Error ? cause.message : String(cause) }, cause)
  })
  yield* remember(client, session, place)
  const isAskedAgain = session.exec !== undefined && session.writeStdin !== undefined
  const runsCommands = session.exec !== undefined || session.execCommand !== undefined
  if (isAskedAgain || (isolation !== "none" && manifest === undefined && runsCommands)) return session
  yield* endSession(client, session, place)
  return yield* fail({
    _tag: "Unusable",
    detail: "the sandboxes of this client can't run a command and be asked again"
  })
})

const stateIn = (place: string) => join(place, "session.json")

/** Writes down what the client made, as the client itself does: whoever comes after a runner that was killed takes it away. */
const remember = (client: SandboxClient, session: SandboxSession, place: string): Effect.Effect<void> =>
  Effect.promise(async () => {
    try {
      const state = await client.serializeSessionState?.(session.state)
      if (state !== undefined) writeFileSync(stateIn(place), JSON.stringify(state), { mode: 0o600 })
    } catch {
      // One that can't say what it has made can't be asked to take it away.
    }
  })

/** What a runner that was killed has left with the client. */
const endEarlier = ({ client, manifest, name }: SandboxClientOptions, spec: SandboxSpec, place: string) =>
  Effect.suspend(() => {
    const path = stateIn(place)
    if (!existsSync(path) || client.deserializeSessionState === undefined) return Effect.void
    return Effect.tryPromise(async () => {
      const state = await client.deserializeSessionState!(JSON.parse(readFileSync(path, "utf8")))
      if (client.delete !== undefined) return await client.delete(state)
      const session = await client.resume?.(withOwnPaths(state, manifest?.(spec)))
      if (session !== undefined) await endNow(client, session)
    }).pipe(
      Effect.catch(({ cause }) =>
        Effect.logWarning("What an earlier runner had made with a sandbox client is left").pipe(
          Effect.annotateLogs({ backend: name, sandboxId: spec.sandboxId, message: String(cause) })
        )
      )
    )
  })

/**
 * What clients leave out where they write a state down is the host's own paths, which are ours to say. The mark that they are
 * missing is the SDK's own, and of no use without them.
 */
const withOwnPaths = <State extends SandboxSession["state"]>(
  state: State,
  manifest: ManifestInput | undefined
): State => {
  if (manifest?.extraPathGrants === undefined) return state
  const { extraPathGrants } = manifest
  const whole = Object.assign(Object.create(Object.getPrototypeOf(state.manifest)), state.manifest, { extraPathGrants })
  const entries = Object.entries({ ...state, manifest: whole })
  return Object.fromEntries(entries.filter(([key]) => !key.startsWith("__openaiAgentsRedacted"))) as State
}

/** The most thorough of the ends that a session offers. */
const endNow = async (client: SandboxClient, session: SandboxSession): Promise<void> => {
  await session.shutdown?.()
  if (session.delete !== undefined) await session.delete()
  else if (client.delete !== undefined) await client.delete(session.state)
  else await session.close?.()
}

const endSession = (client: SandboxClient, session: SandboxSession, place: string): Effect.Effect<void> =>
  Effect.promise(async () => {
    try {
      await endNow(client, session)
      rmSync(stateIn(place), { force: true })
    } catch {
      // It is gone, or its service is; there is nobody whom it would help to know.
    }
  })

/** What a runner before this one may have left running. */
const endMarked = (spec: SandboxSpec): Effect.Effect<void> =>
  Effect.gen(function* () {
    for (let looks = 0; looks < 2_000; looks++) {
      const left = processesMarked((mark) => isBirthmarkOf(spec.sandboxId, mark))
      if (left.length === 0) return
      for (const pid of left) sendSignal(pid, "SIGKILL")
      yield* Effect.sleep(10)
    }
  })

const sandboxOf = (sandbox: ClientSandbox, client: SandboxClient): Sandbox => {
  const { isolation, name, place, session, spec } = sandbox
  const start = (request: ExecRequest, number: number) => startProcess(sandbox, request, number)
  const { destroy, exec } = clientProcesses({ name, spec, place, start })
  const rest = Effect.andThen(endMarked(spec), endSession(client, session, place))
  return { spec, backend: name, isolation, exec, destroy: destroy(rest) }
}
