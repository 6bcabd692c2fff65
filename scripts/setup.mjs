// Brings a fresh clone to where everything can run. Plain JavaScript: it is what an older Node can still execute.
import { spawnSync } from "node:child_process"
import { createHash } from "node:crypto"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { delimiter, dirname, join } from "node:path"
import { fileURLToPath, pathToFileURL } from "node:url"
import "./gate.cjs"
import { install } from "./install.mjs"

export const root = new URL("..", import.meta.url)
const path = (name) => fileURLToPath(new URL(name, root))
const bin = path("node_modules/.bin")
const stamp = path("node_modules/.troupe-lock")

const lockDigest = () =>
  createHash("sha256")
    .update(readFileSync(path("package-lock.json")))
    .digest("hex")

/** Notes that node_modules is what package-lock.json says. */
export const installed = () => writeFileSync(stamp, `${lockDigest()}\n`)

const isInstalled = () => existsSync(stamp) && readFileSync(stamp, "utf8").trim() === lockDigest()

/** Node 22.19 is the first release on which everything here runs from source. */
const isNewEnough = (version) => {
  const [major = 0, minor = 0] = version.replace(/^v/, "").split(".").map(Number)
  return major > 22 || (major === 22 && minor >= 19)
}

const versionOf = (executable) => {
  const { status, stdout } = spawnSync(executable, ["--version"], { encoding: "utf8" })
  return status === 0 ? stdout.trim() : "v0"
}

const give = (sentence) => {
  console.error(`troupe: ${sentence}`)
  process.exit(1)
}

/** Installs what is missing and returns the environment in which our programs start. */
export const setup = async () => {
  const others = (process.env.PATH ?? "").split(delimiter).filter((folder) => folder !== bin)
  if (!isInstalled()) {
    console.error("troupe: installing dependencies (npm ci), about half a minute")
    const failure = await install(fileURLToPath(root), others.join(delimiter))
    if (failure !== null) give(failure)
    installed()
  }
  const pinned = join(bin, "node")
  if (existsSync(pinned) && isNewEnough(versionOf(pinned))) {
    return { node: pinned, env: { ...process.env, PATH: [bin, ...others].join(delimiter) } }
  }
  const system = others
    .map((folder) => join(folder, "node"))
    .find((file) => existsSync(file) && isNewEnough(versionOf(file)))
  if (system === undefined) {
    give(
      "Node 22.19 or newer is needed and no pinned Node exists for this platform; install Node 24, then run this again."
    )
  }
  return { node: system, env: { ...process.env, PATH: [dirname(system), bin, ...others].join(delimiter) } }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { node } = await setup()
  console.log(`${node} ${versionOf(node)}`)
}
