import { dirname } from "node:path"
import type { Account } from "../Account.ts"
import { egress, type SandboxSpec } from "../Sandbox.ts"
import { mountable, temporary, temporaryOf } from "../SandboxPaths.ts"
import { keeper } from "./scripts.ts"
import { seccompProfile } from "./seccompProfile.ts"

export const label = {
  owner: "dev.troupe.owner",
  role: "dev.troupe.role",
  sandbox: "dev.troupe.sandbox",
  session: "dev.troupe.session",
  home: "dev.troupe.home"
} as const

export interface ContainerOptions {
  /** Which runner these containers are: only their owner collects them. */
  readonly owner: string
  readonly image: string
  readonly runtime: string | null
  readonly account: Account
}

// Init and keeper, and the two above an exec's program.
const processesOfOurs = 4

// The engine places an exec by a program with threads, which count here until it has become the exec.
const processesMin = 24

const mebibytes = (count: number) => Math.floor(count * 1024 * 1024)

export const userOf = ({ account }: Pick<ContainerOptions, "account">) => `${account.uid}:${account.gid}`

/** What may lie in shared memory: it counts as the sandbox's memory, and is freed by no kill. */
const sharedMb = (memoryMb: number) => Math.max(8, Math.min(512, Math.floor(memoryMb / 8)))

/** The request that makes a sandbox's container. */
export const sandboxContainer = (spec: SandboxSpec, options: ContainerOptions) => {
  const { cpus, diskMb, memoryMb, processes } = spec.size
  const memory = mebibytes(memoryMb)
  const mounts = [...mountable(spec.mounts), { source: temporaryOf(spec.home), target: temporary, readOnly: false }]
  return {
    Image: options.image,
    // An image may have an entry point and variables of its own; what runs in here is ours, the variables go to execs.
    Entrypoint: ["/bin/sh", "-c", keeper],
    Cmd: [],
    Hostname: "sandbox",
    User: userOf(options),
    WorkingDir: "/",
    OpenStdin: true,
    AttachStdin: true,
    AttachStdout: true,
    Labels: labels("sandbox", spec, options),
    HostConfig: {
      ...confined,
      ...(options.runtime === null ? {} : { Runtime: options.runtime }),
      Init: true,
      NetworkMode: "none",
      Memory: memory,
      // As much as without swap: there is none.
      MemorySwap: memory,
      NanoCpus: Math.round(cpus * 1e9),
      PidsLimit: Math.max(processes + processesOfOurs, processesMin),
      ShmSize: mebibytes(sharedMb(memoryMb)),
      Ulimits: [limit("nofile", 4_096), limit("core", 0), limit("fsize", mebibytes(diskMb))],
      Mounts: mounts.map(({ readOnly, source, target }) => bind(source, target, readOnly))
    }
  }
}

// The directory and not the socket: a proxy that was started again has made a new socket of that name.
const socketDirectory = "/proxy"

/**
 * The request that makes the relay of a sandbox: a container beside it that shares its network and nothing else, and so
 * needs no program in the sandbox's image. It runs as whoever the proxy's socket belongs to.
 */
export const relayContainer = (
  spec: SandboxSpec,
  options: ContainerOptions & { readonly socket: string; readonly container: string }
) => ({
  Image: options.image,
  Entrypoint: [
    "socat",
    "-d",
    "-d",
    `TCP-LISTEN:${egress.port},bind=${egress.host},reuseaddr,fork,max-children=128`,
    `UNIX-CONNECT:${socketDirectory}/${options.socket.slice(dirname(options.socket).length + 1)}`
  ],
  Cmd: [],
  User: userOf(options),
  WorkingDir: "/",
  AttachStderr: true,
  Labels: labels("relay", spec, options),
  HostConfig: {
    ...confined,
    Init: true,
    NetworkMode: `container:${options.container}`,
    Memory: mebibytes(64),
    MemorySwap: mebibytes(64),
    PidsLimit: 160,
    Mounts: [bind(dirname(options.socket), socketDirectory, true)]
  }
})

const confined = {
  ReadonlyRootfs: true,
  CapDrop: ["ALL"],
  SecurityOpt: ["no-new-privileges", `seccomp=${seccompProfile}`],
  IpcMode: "private",
  RestartPolicy: { Name: "no" },
  // What they print is for us, and grows on no disk.
  LogConfig: { Type: "none" }
}

const limit = (name: string, value: number) => ({ Name: name, Soft: value, Hard: value })

const bind = (source: string, target: string, readOnly: boolean) => ({
  Type: "bind",
  Source: source,
  Target: target,
  ReadOnly: readOnly,
  BindOptions: { Propagation: "rprivate" }
})

const labels = (role: "sandbox" | "relay", spec: SandboxSpec, { owner }: ContainerOptions) => ({
  [label.owner]: owner,
  [label.role]: role,
  [label.sandbox]: spec.sandboxId,
  [label.session]: spec.sessionId,
  [label.home]: spec.home
})
