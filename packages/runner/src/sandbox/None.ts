import { Effect } from "effect"
import type { SandboxBackend, SandboxSpec } from "./Sandbox.ts"
import { failure } from "./SandboxFailure.ts"

const name = "none"

const open = (spec: SandboxSpec) =>
  Effect.succeed({
    spec,
    backend: name,
    isolation: "absent" as const,
    exec: () => Effect.fail(failure(name)({ _tag: "NothingRuns" })),
    destroy: Effect.void
  })

/** For sessions whose tools run elsewhere: there are directories, and nothing runs. */
export const none: SandboxBackend = {
  name,
  isolation: "absent",
  probe: Effect.succeed({
    usable: true,
    notes: ["nothing runs in it"],
    version: null,
    terminal: false,
    network: false,
    limits: { cpus: null, memory: null, disk: null, processes: null }
  }),
  create: open,
  resume: open
}
