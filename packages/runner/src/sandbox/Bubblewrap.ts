import { Effect } from "effect"
import { chownSync, lstatSync, mkdirSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { type Account, isRoot } from "./Account.ts"
import { bubblewrapArguments, etcFiles, relayPlaces } from "./BubblewrapArguments.ts"
import { countsProcesses } from "./HostSandbox.ts"
import { guardOf, hasTerminal, type HostTools, hostTools, versionOf } from "./HostTools.ts"
import { type BackendProbe, egress, type ExecRequest, type SandboxBackend, type SandboxSpec } from "./Sandbox.ts"
import { attempt } from "./SandboxFailure.ts"
import { accountOf } from "./SandboxHome.ts"
import { workingDirectory } from "./SandboxPaths.ts"
import { descriptors, innerScript, outerScript, type Relay } from "./scripts.ts"
import { cgroupsAt, type Found, installedBackend } from "./InstalledBackend.ts"
import { inheritedDescriptors } from "./inherited.ts"
import { seccompProgram } from "./Seccomp.ts"
import { findTool, systemPath } from "./Tools.ts"

const name = "bubblewrap"

export interface BubblewrapOptions {
  /** Where control groups are mounted; null: make none. */
  readonly cgroupRoot?: string | null
  /** The relay in use: `socat` where the host has it. */
  readonly relay?: "socat" | "own"
}

interface Installed extends Found {
  readonly bwrap: string
  readonly tools: HostTools
  readonly seccomp: Uint8Array | undefined
  readonly socat: string | undefined
}

const installed = (options: BubblewrapOptions): Installed | { readonly reason: string } => {
  const bwrap = findTool("bwrap")
  if (bwrap === undefined) return { reason: "bubblewrap is not installed: install the package bubblewrap" }
  const tools = hostTools()
  if ("missing" in tools)
    return { reason: `${tools.missing.join(", ")} is not installed: install util-linux and coreutils` }
  return {
    bwrap,
    tools,
    cgroups: cgroupsAt(options.cgroupRoot),
    seccomp: seccompProgram(process.arch),
    socat: options.relay === "own" ? undefined : findTool("socat")
  }
}

const adviceOnNamespaces =
  "Where unprivileged user namespaces are switched off, allow them (sysctl kernel.unprivileged_userns_clone=1, " +
  "user.max_user_namespaces, or kernel.apparmor_restrict_unprivileged_userns=0); inside a container, run it with " +
  "seccomp=unconfined and systempaths=unconfined"

/** One tree of processes in namespaces of its own for each exec; its death is the death of all of them. */
export const bubblewrap = (options: BubblewrapOptions = {}): SandboxBackend =>
  installedBackend({
    name,
    isolation: "namespaces",
    find: () => installed(options),
    version: ({ bwrap }) => versionOf(bwrap),
    advice: adviceOnNamespaces,
    open,
    usable
  })

const open = Effect.fnUntraced(function* (spec: SandboxSpec, { bwrap, seccomp, socat, tools }: Installed) {
  const account = yield* attempt(name, "the sandbox's home", () => accountOf(spec.home))
  const etc = join(spec.home, name)
  yield* attempt(name, "the sandbox's home", () => writeEtc(etc))
  const own = socat === undefined && spec.network._tag === "Proxied"
  const relay = relayOf(spec, socat)

  const prepare = (request: ExecRequest, limits: ReadonlyArray<string>) => {
    if (spec.network._tag === "Proxied") allowSocket(spec.network.socket, account)
    const inner = innerScript(tools, {
      relay,
      announces: false,
      request,
      shell: request.variables?.SHELL ?? spec.variables.SHELL,
      limits
    })
    return {
      guard: guardOf(tools, true),
      script: outerScript(tools, {
        input: request.input === true,
        terminal: request.terminal !== undefined,
        announces: true
      }),
      command: [
        ...[bwrap, "--args", String(descriptors.second)],
        // Empty by now; bubblewrap closes what it has read its arguments from, and would hand on all else.
        ...inheritedDescriptors().flatMap((descriptor) => ["--args", String(descriptor)]),
        "--",
        ...["/bin/sh", "-c", inner, "sh", workingDirectory(request.cwd), ...request.command]
      ],
      environment: { PATH: systemPath },
      bubblewrapArguments: bubblewrapArguments(spec, request, {
        etc,
        relay: own ? { node: process.execPath, script: join(import.meta.dirname, "relay-main.ts") } : undefined,
        seccompDescriptor: seccomp === undefined ? undefined : descriptors.seccomp,
        statusDescriptor: descriptors.status
      }),
      ...(seccomp === undefined ? {} : { seccomp })
    }
  }
  return {
    namespaced: true,
    account,
    prepare,
    forget: Effect.sync(() => rmSync(etc, { recursive: true, force: true }))
  }
})

const writeEtc = (etc: string) => {
  mkdirSync(etc, { recursive: true, mode: 0o755 })
  for (const [file, content] of Object.entries(etcFiles)) writeFileSync(join(etc, file), content, { mode: 0o644 })
}

const relayOf = (spec: SandboxSpec, socat: string | undefined): Relay => {
  if (spec.network._tag === "None") return null
  const { host, port, socket } = egress
  return {
    command:
      socat === undefined
        ? [relayPlaces.node, relayPlaces.script, String(port), socket]
        : [socat, `TCP-LISTEN:${port},bind=${host},fork,reuseaddr,backlog=128`, `UNIX-CONNECT:${socket}`]
  }
}

/** Connecting takes the right to write, and the proxy's socket is the runner's. */
const allowSocket = (socket: string, account: Account) => {
  if (account.switched && lstatSync(socket).uid !== account.uid) chownSync(socket, account.uid, account.gid)
}

const usable = ({ cgroups, seccomp, socat, tools }: Installed, version: string | null): BackendProbe => {
  const held = cgroups === undefined ? null : `cgroup v${cgroups.version}`
  const notes = [
    ...(held === null
      ? ["no control groups can be made here: each process is held by itself, and CPU time is not held at all"]
      : []),
    ...(seccomp === undefined ? [`no filter of system calls for ${process.arch}`] : []),
    ...(isRoot() ? [] : ["sandboxes share the runner's account on the host; namespaces alone keep them apart"]),
    ...(hasTerminal(tools) ? [] : ["no terminals: script or stty is not installed"]),
    ...(socat === undefined
      ? ["socat is not installed: each process with network starts a relay of our own, which takes longer"]
      : [])
  ]
  return {
    usable: true,
    notes,
    version,
    terminal: hasTerminal(tools),
    network: true,
    limits: {
      cpus: held,
      memory: held ?? "rlimit",
      processes: held ?? (countsProcesses(true, { switched: isRoot() }) ? "rlimit" : null),
      disk: "polling"
    }
  }
}
