import { canonical } from "@troupe/domain/CanonicalJson"
import { type EnvironmentConfig, packageManagers } from "@troupe/domain/environment/EnvironmentConfig"
import { createHash } from "node:crypto"
import { readFileSync } from "node:fs"
import type { SandboxBackend } from "../sandbox/Sandbox.ts"

/** What of the host a preparation depends on. */
export interface HostFacts {
  readonly architecture: string
  /** The system's name and version, from `os-release`. */
  readonly release: string
  /** A digest of the packages that the system has. */
  readonly installed: string
}

const textOf = (path: string) => {
  try {
    return readFileSync(path, "utf8")
  } catch {
    return ""
  }
}

const digest = (text: string) => createHash("sha256").update(text).digest("hex")

export const releaseOf = (osRelease: string): string =>
  ["ID", "VERSION_ID"].map((name) => new RegExp(`^${name}="?([^"\\n]*)`, "m").exec(osRelease)?.[1] ?? "").join(" ")

export const hostFacts = (): HostFacts => ({
  architecture: process.arch,
  release: releaseOf(textOf("/etc/os-release")),
  installed: digest(textOf("/var/lib/dpkg/status"))
})

/** Raised when what a preparation leaves looks different. */
const format = 1

/** Of an image: its text, what it begins with, and the network that its commands had. */
export const imageKey = (
  { dockerfile, network }: Pick<EnvironmentConfig, "dockerfile" | "network">,
  bases: ReadonlyArray<string>
): string => digest(canonical({ format, dockerfile, bases, network, architecture: process.arch }))

/**
 * The same content has the same key, in whatever order it was written down. A setup script sees variables and network, so they
 * count where there is one; which packages the system has counts for those that apt fetches beside it.
 */
export const preparationKey = (
  config: EnvironmentConfig,
  backend: Pick<SandboxBackend, "name" | "isolation">,
  host: HostFacts
): string => {
  const { image, network, packages, setup, variables } = config
  const sorted = Object.fromEntries(packageManagers.map((name) => [name, [...new Set(packages[name])].toSorted()]))
  const { architecture, installed, release } = host
  return digest(
    canonical({
      format,
      packages: sorted,
      setup: setup === null ? null : { setup, variables, network },
      image,
      backend: backend.name,
      architecture,
      release,
      installed: backend.isolation === "namespaces" && packages.apt.length > 0 ? installed : null
    })
  )
}
