import { dirname } from "node:path"
import type { SandboxSpec } from "../Sandbox.ts"
import { keeper } from "./scripts.ts"

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
  readonly account: { readonly uid: number; readonly gid: number }
}

// Beside what the sandbox runs: init, keeper, two processes for each exec, and the threads that place an exec in here.
const processesOfOurs = 32

const mebibytes = (count: number) => Math.floor(count * 1024 * 1024)

export const userOf = ({ account }: Pick<ContainerOptions, "account">) => `${account.uid}:${account.gid}`

/** How large each directory in memory may grow: their pages count as the sandbox's memory, and are freed by no kill. */
export const temporaryMb = (memoryMb: number) => Math.max(8, Math.min(512, Math.floor(memoryMb / 8)))

/** The request that makes a sandbox's container. */
export const sandboxContainer = (spec: SandboxSpec, options: ContainerOptions) => {
  const { cpus, diskMb, memoryMb, processes } = spec.size
  const memory = mebibytes(memoryMb)
  const temporary = `rw,exec,nosuid,nodev,mode=1777,size=${mebibytes(temporaryMb(memoryMb))}`
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
      PidsLimit: processes + processesOfOurs,
      ShmSize: mebibytes(temporaryMb(memoryMb)),
      Tmpfs: { "/tmp": temporary, "/var/tmp": temporary, "/run": temporary },
      Ulimits: [limit("nofile", 4_096), limit("core", 0), limit("fsize", mebibytes(diskMb))],
      Mounts: spec.mounts.map(({ readOnly, source, target }) => bind(source, target, readOnly))
    }
  }
}

/** Where programs in a sandbox find the egress proxy. */
export const proxyPort = 3128

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
    `TCP-LISTEN:${proxyPort},bind=127.0.0.1,reuseaddr,fork,max-children=128`,
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
  SecurityOpt: ["no-new-privileges"],
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
