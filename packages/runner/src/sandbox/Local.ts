import { Effect } from "effect"
import { mkdirSync, rmSync } from "node:fs"
import { join } from "node:path"
import { isRoot } from "./Account.ts"
import { countsProcesses } from "./HostSandbox.ts"
import { guardOf, hasTerminal, type HostTools, hostTools } from "./HostTools.ts"
import { cgroupsAt, type Found, installedBackend } from "./InstalledBackend.ts"
import type { BackendProbe, ExecRequest, SandboxBackend, SandboxSpec } from "./Sandbox.ts"
import { attempt } from "./SandboxFailure.ts"
import { accountOf } from "./SandboxHome.ts"
import { hostPath, workingDirectory } from "./SandboxPaths.ts"
import { innerScript, outerScript } from "./scripts.ts"

const name = "local"

export interface LocalOptions {
  /** Where control groups are mounted; null: make none. */
  readonly cgroupRoot?: string | null
}

interface Installed extends Found {
  readonly tools: HostTools
}

const installed = ({ cgroupRoot }: LocalOptions): Installed | { readonly reason: string } => {
  const tools = hostTools()
  if ("missing" in tools)
    return { reason: `${tools.missing.join(", ")} is not installed: install util-linux and coreutils` }
  return { tools, cgroups: cgroupsAt(cgroupRoot) }
}

/** Processes of the host, held to a size and to the life of their exec, and isolated by nothing but their account. */
export const local = (options: LocalOptions = {}): SandboxBackend =>
  installedBackend({
    name,
    isolation: "none",
    find: () => installed(options),
    version: () => null,
    advice: null,
    open,
    usable
  })

const open = Effect.fnUntraced(function* (spec: SandboxSpec, { tools }: Installed) {
  const account = yield* attempt(name, "the sandbox's home", () => accountOf(spec.home))
  const place = join(spec.home, name)
  yield* attempt(name, "the sandbox's home", () => mkdirSync(place, { recursive: true, mode: 0o755 }))
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
  return {
    namespaced: false,
    account,
    prepare,
    forget: Effect.sync(() => rmSync(place, { recursive: true, force: true }))
  }
})

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
