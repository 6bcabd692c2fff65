// node scripts/system.mjs: sees to it that tools can run in a sandbox, and says what it does. Never keeps a start from going
// on: without bubblewrap, tools run unisolated and ask first. Plain JavaScript: an older Node runs it before anything else.
import { spawnSync } from "node:child_process"
import { accessSync, constants, readFileSync } from "node:fs"
import { join } from "node:path"
import { pathToFileURL } from "node:url"

const packages = ["bubblewrap", "socat"]

/** By what `os-release` calls a distribution, or says that it is like. Debian's own base has all of util-linux. */
const managers = {
  debian: {
    program: "apt-get",
    // The lists of a fresh machine are empty, or old.
    refresh: ["update", "-qq"],
    install: ["install", "-y", "-qq", "--no-install-recommends", ...packages]
  },
  // Its releases, and its like, cut util-linux into packages of other names: what is in them is asked for instead.
  fedora: {
    program: "dnf",
    install: [
      ...["install", "-y", "-q", "--setopt=install_weak_deps=False", ...packages],
      ...["setpriv", "prlimit", "script"].map((name) => `/usr/bin/${name}`)
    ]
  },
  // Busybox has a setpriv and a setsid that know less.
  alpine: {
    program: "apk",
    install: ["add", "--no-cache", "-q", ...packages, "util-linux-misc", "setpriv", "coreutils"]
  }
}

const find = (program, path) =>
  path
    .split(":")
    .filter((folder) => folder !== "")
    .map((folder) => join(folder, program))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK)
        return true
      } catch {
        return false
      }
    })

/** What sandboxes can't be made without, as the runner looks for it: Busybox's own setpriv will not do. */
const missingIn = (path) => {
  const missing = ["bwrap", "prlimit", "setsid"].filter((name) => find(name, path) === undefined)
  const setpriv = find("setpriv", path)
  const help = setpriv === undefined ? undefined : spawnSync(setpriv, ["--help"], { encoding: "utf8", timeout: 20_000 })
  return help?.stdout?.includes("--pdeathsig") === true ? missing : [...missing, "setpriv of util-linux"]
}

/** The package manager of the distribution, or undefined. */
export const managerOf = (osRelease) => {
  const field = (name) => new RegExp(`^${name}="?([^"\\n]*)"?$`, "m").exec(osRelease)?.[1] ?? ""
  const names = `${field("ID")} ${field("ID_LIKE")}`.split(/\s+/).map((name) => (name === "ubuntu" ? "debian" : name))
  const known = names.find((name) => Object.hasOwn(managers, name))
  return known === undefined ? undefined : managers[known]
}

/** What to type where we do not install it ourselves. */
const remedy = (manager, isRoot) =>
  manager === undefined
    ? `install the packages ${packages.join(", ")} and util-linux of your system`
    : `run: ${isRoot ? "" : "sudo "}${manager.program} ${manager.install.filter((word) => !word.startsWith("-")).join(" ")}`

const fallback = "Until then tools run without isolation, and ask before each use."

/**
 * Installs what sandboxes take where it is missing and may be installed. Everything it looks at is passed in. Answers what came of it:
 * `present`, `installed`, `declined` or `missing`.
 */
export const offerSandbox = ({ env, isRoot, osRelease, platform, say }) => {
  const path = env.PATH ?? ""
  if (platform !== "linux") {
    say(`Sandboxes need Linux. ${fallback.replace("Until then tools", "Here, tools")}`)
    return "missing"
  }
  const missing = missingIn(path)
  if (missing.length === 0) return "present"
  const lack = `For sandboxes, this host lacks ${missing.join(", ")}`
  const manager = managerOf(osRelease)
  const how = remedy(manager, isRoot)
  if (env.TROUPE_NO_SYSTEM_INSTALL === "1") {
    say(`${lack}, and TROUPE_NO_SYSTEM_INSTALL=1 declines installing it. To have it, ${how}. ${fallback}`)
    return "declined"
  }
  const program = manager === undefined ? undefined : find(manager.program, path)
  if (!isRoot || program === undefined) {
    say(`${lack}. To have it, ${how}. ${fallback}`)
    return "missing"
  }
  say(
    `Installing ${missing.join(", ")} with ${manager.program}, so that tools run in a sandbox (TROUPE_NO_SYSTEM_INSTALL=1 declines).`
  )
  const run = (args) =>
    spawnSync(program, args, {
      env: { ...env, DEBIAN_FRONTEND: "noninteractive" },
      stdio: ["ignore", 2, 2],
      timeout: 300_000
    }).status === 0
  const done = run(manager.install) || (manager.refresh !== undefined && run(manager.refresh) && run(manager.install))
  const left = done ? missingIn(path) : missing
  if (left.length === 0) return "installed"
  say(`Installing ${left.join(", ")} failed. For sandboxes, ${how}. ${fallback}`)
  return "missing"
}

const textOf = (file) => {
  try {
    return readFileSync(file, "utf8")
  } catch {
    return ""
  }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  offerSandbox({
    env: process.env,
    isRoot: process.getuid?.() === 0,
    osRelease: textOf("/etc/os-release") || textOf("/usr/lib/os-release"),
    platform: process.platform,
    say: (sentence) => console.error(`troupe: ${sentence}`)
  })
}
