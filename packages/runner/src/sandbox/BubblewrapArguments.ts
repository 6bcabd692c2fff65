import { existsSync, lstatSync, readlinkSync } from "node:fs"
import { egress, type ExecRequest, type SandboxSpec } from "./Sandbox.ts"
import { mountable, temporary, temporaryOf } from "./SandboxPaths.ts"

/** Who everybody is inside. The host knows the sandbox by a number of its own. */
export const insideUser = { name: "agent", uid: 1_000, gid: 1_000 } as const

/** What tools read of `/etc`, made for the sandbox: the host's own would name the host's people and places. */
export const etcFiles: Readonly<Record<string, string>> = {
  passwd:
    "root:x:0:0:root:/root:/usr/sbin/nologin\n" +
    `${insideUser.name}:x:${insideUser.uid}:${insideUser.gid}::/workspace:/bin/sh\n` +
    "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
  group: `root:x:0:\n${insideUser.name}:x:${insideUser.gid}:\nnogroup:x:65534:\n`,
  hosts: "127.0.0.1 localhost\n::1 localhost\n",
  "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n"
}

/** Of the host's `/etc`: what programs in `/usr` cannot do without, and the public half of what TLS needs. */
const etcOfHost = [
  "/etc/alternatives",
  "/etc/ld.so.cache",
  "/etc/ssl/certs",
  "/etc/ssl/openssl.cnf",
  "/etc/pki/tls/certs",
  "/etc/pki/ca-trust/extracted",
  "/etc/crypto-policies"
]

/** Where ours are, bound in beside the system's. */
export const relayPlaces = { node: "/run/troupe/node", script: "/run/troupe/relay-main.ts" } as const

const systemFolders = ["bin", "sbin", "lib", "lib32", "lib64", "libx32"]

/** On today's systems `/bin` and its like are links into `/usr`; on others, directories. */
const systemFolder = (name: string): ReadonlyArray<string> => {
  const path = `/${name}`
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (found === undefined) return []
  return found.isSymbolicLink() ? ["--symlink", readlinkSync(path), path] : ["--ro-bind", path, path]
}

const memoryBackedBytes = (spec: SandboxSpec) => String(Math.floor((spec.size.memoryMb * 1_048_576) / 2))

export interface Inside {
  /** The directory of the host with the files of `etcFiles`. */
  readonly etc: string
  /** Host files for the relay, where it is our own. */
  readonly relay: { readonly node: string; readonly script: string } | undefined
  readonly seccompDescriptor: number | undefined
  readonly statusDescriptor: number
}

/**
 * What bubblewrap is told, through a pipe: variables may be secret, and arguments can be read by every user of the host.
 * Nothing is there but what this names.
 */
export const bubblewrapArguments = (spec: SandboxSpec, request: ExecRequest, inside: Inside): Uint8Array => {
  const variables = { ...spec.variables, ...request.variables }
  const bind = (source: string, target: string, readOnly = true) => [readOnly ? "--ro-bind" : "--bind", source, target]
  const lines = [
    ...["--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-net", "--unshare-cgroup-try"],
    ...["--disable-userns", "--die-with-parent", "--new-session", "--cap-drop", "ALL"],
    ...["--uid", String(insideUser.uid), "--gid", String(insideUser.gid), "--hostname", "sandbox"],
    ...["--json-status-fd", String(inside.statusDescriptor)],
    ...(inside.seccompDescriptor === undefined ? [] : ["--seccomp", String(inside.seccompDescriptor)]),
    ...bind("/usr", "/usr"),
    ...systemFolders.flatMap(systemFolder),
    ...etcOfHost.filter((path) => existsSync(path)).flatMap((path) => bind(path, path)),
    ...Object.keys(etcFiles).flatMap((name) => bind(`${inside.etc}/${name}`, `/etc/${name}`)),
    ...["--proc", "/proc", "--dev", "/dev"],
    ...["--size", memoryBackedBytes(spec), "--perms", "1777", "--tmpfs", "/dev/shm"],
    ...bind(temporaryOf(spec.home), temporary, false),
    ...["--dir", "/var", "--symlink", "../tmp", "/var/tmp", "--dir", "/run"],
    ...(spec.network._tag === "Proxied" ? bind(spec.network.socket, egress.socket, false) : []),
    ...(inside.relay === undefined
      ? []
      : [...bind(inside.relay.node, relayPlaces.node), ...bind(inside.relay.script, relayPlaces.script)]),
    ...mountable(spec.mounts).flatMap(({ readOnly, source, target }) => bind(source, target, readOnly)),
    // The rest of the tree is in memory, and nobody's to fill.
    ...["--remount-ro", "/dev", "--remount-ro", "/"],
    ...["--chdir", "/", "--clearenv"],
    ...Object.entries(variables).flatMap(([name, value]) => ["--setenv", name, value])
  ]
  return Buffer.from(lines.map((line) => `${line}\0`).join(""))
}
