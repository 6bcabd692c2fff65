import { Effect } from "effect"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { type CgroupHost, cgroupsThatWork, findCgroups, openCgroup } from "./Cgroup.ts"
import { endLeftovers, type HostBackend, hostSandbox } from "./HostSandbox.ts"
import type { BackendProbe, Isolation, SandboxBackend, SandboxError, SandboxSpec } from "./Sandbox.ts"
import { attempt, failure } from "./SandboxFailure.ts"
import { tryBackend } from "./trial.ts"
import { unusable } from "./unusable.ts"

/** What a backend found on the host. */
export interface Found {
  readonly cgroups: CgroupHost | undefined
}

/** A backend that stands on programs of the host. */
export interface InstalledBackend<One extends Found> {
  readonly name: string
  readonly isolation: Isolation
  readonly find: () => One | { readonly reason: string }
  readonly version: (one: One) => string | null
  /** What can help where everything is installed, and yet nothing runs. */
  readonly advice: string | null
  readonly open: (
    spec: SandboxSpec,
    one: One
  ) => Effect.Effect<Omit<HostBackend, "name" | "isolation" | "cgroup">, SandboxError>
  readonly usable: (one: One, version: string | null) => BackendProbe
}

/** The control groups of this host, where they can be used; `null` as their place: make none. */
export const cgroupsAt = (root: string | null | undefined): CgroupHost | undefined =>
  root === null ? undefined : cgroupsThatWork(findCgroups(root))

export const installedBackend = <One extends Found>(backend: InstalledBackend<One>): SandboxBackend => {
  const { advice, find, isolation, name, usable, version } = backend
  const fail = failure(name)
  // Found once and for all, but looked for again as long as it is missing: somebody may install it.
  let known: One | undefined
  const host = Effect.suspend(() => {
    const one = known ?? find()
    if ("reason" in one) return Effect.fail(fail({ _tag: "Unusable", detail: one.reason }))
    known = one
    return Effect.succeed(one)
  })

  const groupOf = ({ cgroups }: Found, spec: SandboxSpec) =>
    attempt(name, "no control group", () =>
      cgroups === undefined ? undefined : openCgroup(cgroups, spec.sandboxId, spec.size)
    )

  /** Nothing that ran under this name before goes on. */
  const afresh = Effect.fnUntraced(function* (spec: SandboxSpec, one: One) {
    yield* endLeftovers(spec, yield* groupOf(one, spec))
    const own = yield* backend.open(spec, one)
    return hostSandbox(spec, { ...own, name, isolation, cgroup: yield* groupOf(one, spec) })
  })

  const create = Effect.fn("InstalledBackend.create")(function* (spec: SandboxSpec) {
    return yield* afresh(spec, yield* host)
  })

  const resume = Effect.fn("InstalledBackend.resume")(function* (spec: SandboxSpec) {
    const one = yield* host
    if (!existsSync(join(spec.home, name))) return yield* fail({ _tag: "Gone", detail: "its home is empty" })
    return yield* afresh(spec, one)
  })

  const probe = Effect.gen(function* () {
    const one = find()
    if ("reason" in one) return unusable(one.reason)
    const said = version(one)
    const outcome = yield* Effect.result(tryBackend({ create }))
    if (outcome._tag === "Failure") {
      const { message } = outcome.failure
      return unusable(advice === null ? message : `${message}. ${advice}`, said)
    }
    if (outcome.success._tag !== "Exited" || outcome.success.code !== 0) {
      return unusable(`a trial run of \`true\` ended with ${JSON.stringify(outcome.success)}`, said)
    }
    return usable(one, said)
  }).pipe(Effect.withSpan("InstalledBackend.probe"))

  return { name, isolation, create, resume, probe }
}
