import { Effect } from "effect"
import { existsSync, mkdirSync, rmSync } from "node:fs"
import { join } from "node:path"
import { isRoot } from "./Account.ts"
import { type Cgroup, type CgroupHost, cgroupsThatWork, findCgroups, openCgroup } from "./Cgroup.ts"
import { countsProcesses, endLeftovers, hostSandbox } from "./HostSandbox.ts"
import { guardOf, hasTerminal, type HostTools, hostTools } from "./HostTools.ts"
import type { BackendProbe, ExecRequest, SandboxBackend, SandboxSpec } from "./Sandbox.ts"
import { attempt, failure } from "./SandboxFailure.ts"
import { accountOf } from "./SandboxHome.ts"
import { hostPath, workingDirectory } from "./SandboxPaths.ts"
import { innerScript, outerScript } from "./scripts.ts"
import { tryBackend } from "./trial.ts"
import { unusable } from "./unusable.ts"

const name = "local"
const fail = failure(name)

export interface LocalOptions {
  /** Where control groups are mounted; null: make none. */
  readonly cgroupRoot?: string | null
}

interface Installed {
  readonly tools: HostTools
  readonly cgroups: CgroupHost | undefined
}

const installed = ({ cgroupRoot }: LocalOptions): Installed | { readonly reason: string } => {
  const tools = hostTools()
  if ("missing" in tools)
    return { reason: `${tools.missing.join(", ")} is not installed: install util-linux and coreutils` }
  return { tools, cgroups: cgroupRoot === null ? undefined : cgroupsThatWork(findCgroups(cgroupRoot)) }
}

/** Processes of the host, held to a size and to the life of their exec, and isolated by nothing but their account. */
export const local = (options: LocalOptions = {}): SandboxBackend => {
  let known: Installed | undefined
  const host = Effect.suspend(() => {
    const one = known ?? installed(options)
    if ("reason" in one) return Effect.fail(fail({ _tag: "Unusable", detail: one.reason }))
    known = one
    return Effect.succeed(one)
  })

  const open = Effect.fnUntraced(function* (spec: SandboxSpec, { cgroups, tools }: Installed) {
    const account = yield* attempt(name, "the sandbox's home", () => accountOf(spec.home))
    const place = join(spec.home, name)
    yield* attempt(name, "the sandbox's home", () => mkdirSync(place, { recursive: true, mode: 0o755 }))
    const cgroup = yield* attempt(name, "no control group", () => groupOf(cgroups, spec))
    const prepare = (request: ExecRequest, limits: ReadonlyArray<string>) => ({
      guard: guardOf(tools, account.switched),
      script: outerScript(tools, {
        input: request.input === true,
        terminal: request.terminal !== undefined,
        announces: false
      }),
      command: [
        ...guardOf(tools, false),
        tools.setsid,
        "/bin/sh",
        "-c",
        innerScript(tools, {
          relay: null,
          announces: true,
          request,
          shell: request.variables?.SHELL ?? spec.variables.SHELL,
          limits
        }),
        "sh",
        hostPath(spec, workingDirectory(request.cwd)),
        ...request.command
      ],
      environment: { ...spec.variables, ...request.variables }
    })
    return hostSandbox(spec, {
      name,
      isolation: "none",
      namespaced: false,
      account,
      cgroup,
      prepare,
      forget: Effect.sync(() => rmSync(place, { recursive: true, force: true }))
    })
  })

  /** Nothing that ran under this name before goes on. */
  const afresh = Effect.fnUntraced(function* (spec: SandboxSpec, one: Installed) {
    yield* endLeftovers(spec, yield* attempt(name, "no control group", () => groupOf(one.cgroups, spec)))
    return yield* open(spec, one)
  })

  const create = Effect.fn("Local.create")(function* (spec: SandboxSpec) {
    return yield* afresh(spec, yield* host)
  })

  const resume = Effect.fn("Local.resume")(function* (spec: SandboxSpec) {
    const one = yield* host
    if (!existsSync(join(spec.home, name))) return yield* fail({ _tag: "Gone", detail: "its home is empty" })
    return yield* afresh(spec, one)
  })

  const probe = Effect.gen(function* () {
    const one = installed(options)
    if ("reason" in one) return unusable(one.reason)
    const outcome = yield* Effect.result(tryBackend({ create }))
    if (outcome._tag === "Failure") return unusable(outcome.failure.message)
    if (outcome.success._tag !== "Exited" || outcome.success.code !== 0) {
      return unusable(`a trial run of \`true\` ended with ${JSON.stringify(outcome.success)}`)
    }
    return usable(one)
  }).pipe(Effect.withSpan("Local.probe"))

  return { name, isolation: "none", create, resume, probe }
}

const groupOf = (cgroups: CgroupHost | undefined, spec: SandboxSpec): Cgroup | undefined =>
  cgroups === undefined ? undefined : openCgroup(cgroups, spec.sandboxId, spec.size)

const usable = ({ cgroups, tools }: Installed): BackendProbe => {
  const held = cgroups === undefined ? null : `cgroup v${cgroups.version}`
  return {
    usable: true,
    notes: [
      "nothing isolates what runs here: it reaches the host's files and network",
      isRoot() ? "each sandbox has an account of its own" : "secrets of this user are readable"
    ],
    version: null,
    terminal: hasTerminal(tools),
    network: false,
    limits: {
      cpus: held,
      memory: held ?? "rlimit",
      processes: held ?? (countsProcesses(false, { switched: isRoot() }) ? "rlimit" : null),
      disk: "polling"
    }
  }
}
