import type { SandboxSession } from "@openai/agents/sandbox"
import { createHash } from "node:crypto"
import { Effect, Exit, Scope } from "effect"
import { rmSync, statSync } from "node:fs"
import { dirname, join } from "node:path"
import type { Account } from "../../Account.ts"
import { checkRequest } from "../../checkRequest.ts"
import type { Isolation, Sandbox, SandboxError, SandboxSpec } from "../../Sandbox.ts"
import { failure } from "../../SandboxFailure.ts"
import type { ClientProcess } from "../ClientProcess.ts"
import { makeMachine } from "./Machine.ts"
import { startProcess } from "./MachineProcess.ts"
import { makeMirror } from "./Mirror.ts"

export interface CarriedOptions {
  readonly name: string
  readonly isolation: Isolation
  readonly spec: SandboxSpec
  readonly session: SandboxSession
  readonly account: Account
  /** Of ours, on this host. */
  readonly place: string
  readonly endSession: Effect.Effect<void>
}

/** Where the runner itself is not root, and the machine's user is: some number that is nobody's. */
const anyUser = { uid: 1_000, gid: 1_000 }

/** Files that are mounted by themselves have theirs. */
const directoriesOf = ({ mounts }: SandboxSpec) =>
  mounts.map(({ readOnly, source, target }) =>
    statSync(source).isDirectory() ? { path: target, readOnly } : { path: dirname(target), readOnly: true }
  )

/** While something runs and nothing is said: how often it is looked whether files have changed. */
const [lookMs, lookMsMax] = [500, 15_000]

/**
 * A sandbox whose machine shares no files with this host: the session's directories here stay what counts, and what
 * processes change there is carried here before anybody hears what they said.
 */
export const carriedSandbox = Effect.fnUntraced(function* (
  options: CarriedOptions
): Effect.fn.Return<Sandbox, SandboxError> {
  const { account, endSession, isolation, name, session, spec } = options
  const fail = failure(name)
  if (spec.mounts.some(({ inner }) => inner)) {
    const detail = "what lies in a directory that may be written can't be kept from being written in its machine"
    return yield* fail({ _tag: "Unusable", detail })
  }
  const machine = yield* makeMachine({
    backend: name,
    session,
    place: `/tmp/.troupe-${createHash("sha256").update(spec.sandboxId).digest("hex").slice(0, 16)}`,
    directories: directoriesOf(spec),
    account: account.switched ? account : anyUser
  })
  const mirror = makeMirror({
    backend: name,
    machine,
    mounts: spec.mounts,
    home: spec.home,
    spool: join(options.place, "spool"),
    owner: account.switched ? account : null,
    bytesMax: spec.size.diskMb * 1_048_576
  })
  const live = new Set<ClientProcess>()
  const life = yield* Scope.make()
  let destroyed = false
  let count = 0
  let pause = lookMs

  const endAll = (why: Parameters<ClientProcess["end"]>[0]) =>
    Effect.forEach([...live], (one) => one.end(why), { concurrency: "unbounded", discard: true })

  const pull = Effect.gen(function* () {
    const { changes, isFull } = yield* mirror.pull
    pause = changes > 0 ? lookMs : Math.min(lookMsMax, pause * 1.5)
    if (isFull) yield* Effect.forkIn(endAll({ _tag: "OutOfDisk" }), life)
  }).pipe(
    Effect.catch(({ message }) =>
      Effect.logWarning("What has changed in a sandbox elsewhere could not be carried here").pipe(
        Effect.annotateLogs({ sandboxId: spec.sandboxId, sessionId: spec.sessionId, message })
      )
    )
  )
  yield* Effect.suspend(() => Effect.andThen(Effect.sleep(pause), live.size > 0 ? pull : Effect.void)).pipe(
    Effect.forever,
    Effect.forkIn(life)
  )

  const talk = {
    name,
    spec,
    machine,
    push: mirror.push,
    pull,
    compared: mirror.compared,
    later: (work: Effect.Effect<void>) => Effect.asVoid(Effect.forkIn(work, life))
  }

  const exec: Sandbox["exec"] = Effect.fn("CarriedSandbox.exec")(function* (request) {
    if (destroyed) return yield* fail({ _tag: "Gone", detail: "the sandbox was destroyed" })
    const bad = checkRequest(spec, request)
    if (bad !== undefined) return yield* fail(bad)
    if (request.terminal !== undefined) {
      return yield* fail({ _tag: "BadRequest", field: "terminal", detail: "this backend has no terminals" })
    }
    pause = lookMs
    const running = yield* startProcess(talk, request, ++count)
    yield* Effect.acquireRelease(
      Effect.sync(() => live.add(running)),
      () => Effect.sync(() => live.delete(running))
    )
    const { timeoutMs } = request
    if (timeoutMs !== undefined) {
      yield* Effect.forkScoped(Effect.delay(running.end({ _tag: "TimedOut", afterMs: timeoutMs }), timeoutMs))
    }
    return running.process
  })

  const destroy = Effect.gen(function* () {
    if (destroyed) return
    destroyed = true
    yield* endAll({ _tag: "Killed", reason: "the sandbox was destroyed" })
    yield* pull
    yield* Scope.close(life, Exit.void)
    yield* endSession
    yield* Effect.sync(() => rmSync(options.place, { recursive: true, force: true }))
  }).pipe(Effect.uninterruptible, Effect.withSpan("CarriedSandbox.destroy"))

  return { spec, backend: name, isolation, exec, destroy }
})
