import type { SandboxSession } from "@openai/agents/sandbox"
import { createHash } from "node:crypto"
import { Effect, Exit, Scope } from "effect"
import { statSync } from "node:fs"
import { dirname, join } from "node:path"
import type { Account } from "../../Account.ts"
import type { Isolation, Sandbox, SandboxError, SandboxSpec } from "../../Sandbox.ts"
import { failure } from "../../SandboxFailure.ts"
import { clientProcesses } from "../ClientProcesses.ts"
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
  const life = yield* Scope.make()
  let pause = lookMs

  const pull = Effect.gen(function* () {
    const { changes, isFull } = yield* mirror.pull
    pause = changes > 0 ? lookMs : Math.min(lookMsMax, pause * 1.5)
    if (isFull) yield* Effect.forkIn(processes.endAll({ _tag: "OutOfDisk" }), life)
  }).pipe(
    Effect.catch(({ message }) =>
      Effect.logWarning("What has changed in a sandbox elsewhere could not be carried here").pipe(
        Effect.annotateLogs({ sandboxId: spec.sandboxId, sessionId: spec.sessionId, message })
      )
    )
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

  const processes = clientProcesses({
    name,
    spec,
    place: options.place,
    start: (request, number) =>
      Effect.suspend(() => {
        pause = lookMs
        return startProcess(talk, request, number)
      })
  })
  yield* Effect.suspend(() => Effect.andThen(Effect.sleep(pause), processes.areLive() ? pull : Effect.void)).pipe(
    Effect.forever,
    Effect.forkIn(life)
  )

  const rest = Effect.andThen(pull, Effect.andThen(Scope.close(life, Exit.void), endSession))
  return { spec, backend: name, isolation, exec: processes.exec, destroy: processes.destroy(rest) }
})
