import { accessSync, constants, existsSync, lstatSync, readdirSync, statfsSync, statSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { bad, type Finding, ok, warn } from "./Finding.ts"

const newestFile = fileURLToPath(new URL("../../../../package.json", import.meta.url))
const dayMs = 86_400_000

/** Tokens, certificates and the order of events need a clock that is about right. */
export const clock = (now: number, nodeSays: number | null): Finding => {
  const advice = "Set the clock of this host, and let it follow a time server (timedatectl set-ntp true)."
  const shown = new Date(now).toISOString()
  if (now < statSync(newestFile).mtimeMs - dayMs)
    return bad("clock", `${shown} is before this release was installed`, advice)
  const skewMs = nodeSays === null ? 0 : Math.abs(now - nodeSays)
  if (skewMs > 5_000)
    return bad("clock", `the node's clock is ${Math.round(skewMs / 1_000)} s away from this one`, advice)
  return ok("clock", shown)
}

const firstThere = (path: string): string => (existsSync(path) ? path : firstThere(dirname(path)))

const inWords = (bytes: number) =>
  bytes < 2 ** 30 ? `${Math.floor(bytes / 2 ** 20)} MiB` : `${(bytes / 2 ** 30).toFixed(1)} GiB`

export const disk = (home: string): Finding => {
  const { bavail, bsize, ffree, files } = statfsSync(firstThere(home))
  const free = bavail * bsize
  const found = `${inWords(free)} are free for ${home}`
  const advice = "Make room, or set TROUPE_HOME to a larger disk."
  if (free < 0.5 * 2 ** 30) return bad("disk", found, advice)
  if (files > 0 && ffree < 1_000) return bad("disk", `${ffree} more files fit on the disk of ${home}`, advice)
  return free < 4 * 2 ** 30 ? warn("disk", found, advice) : ok("disk", found)
}

/** What nobody but its owner may read. */
const secretFiles = (home: string): ReadonlyArray<string> =>
  ["api_key", "config.json", "models.json"]
    .map((name) => join(home, name))
    .concat(
      readdirSync(home)
        .filter((name) => name === "runner" || name.startsWith("runner-"))
        .flatMap((name) => [join(home, name, "registration-token"), join(home, name, "identity.json")])
    )
    .filter((file) => existsSync(file))

const unmade = (home: string): Finding => {
  const above = firstThere(home)
  try {
    accessSync(above, constants.W_OK | constants.X_OK)
    return ok("home", `${home} will be made at the first start`)
  } catch {
    return bad(
      "home",
      `${home} can't be made: ${above} can't be written to`,
      `chmod u+rwx ${above}, or set TROUPE_HOME to another directory.`
    )
  }
}

export const permissions = (home: string): Finding => {
  const check = "home"
  if (!existsSync(home)) return unmade(home)
  if (!statSync(home).isDirectory())
    return bad(check, `${home} is a file`, "Move it away, or set TROUPE_HOME to another directory.")
  const { mode, uid } = lstatSync(home)
  const self = process.getuid?.() ?? uid
  if (uid !== self) return bad(check, `${home} belongs to user ${uid}`, `chown -R ${self} ${home}, or set TROUPE_HOME.`)
  try {
    accessSync(home, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch {
    return bad(check, `${home} can't be written to`, `chmod u+rwx ${home}, or set TROUPE_HOME to another directory.`)
  }
  if ((mode & 0o022) !== 0) return bad(check, `others may write to ${home}`, `chmod go-w ${home}`)
  const open = secretFiles(home).filter((file) => (statSync(file).mode & 0o077) !== 0)
  if (open.length > 0) return bad(check, `others may read ${open.join(", ")}`, `chmod 600 ${open.join(" ")}`)
  return ok(check, `${home} is this user's alone`)
}
