// Runs npm ci, and says how far it is. Plain JavaScript, for the Node that is there.
import { spawn } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"

/** What npm says where it failed, and what it means. */
const causes = [
  [
    /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ENETUNREACH|EHOSTUNREACH|ETIMEDOUT|ERR_SOCKET_TIMEOUT/,
    "the npm registry can't be reached. Connect this host to a network, or tell npm of your proxy or mirror (npm config set proxy, registry), then run this again."
  ],
  [/ENOSPC/, "the disk is full. Make room for about 1 GB, then run this again."],
  [/EROFS|EACCES|EPERM/, "this clone can't be written to. Make it writable for this user, then run this again."]
]

const everyMs = 500

/** Where the packages will be that this host gets. */
const wanted = (root) => {
  const { packages } = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"))
  const fits = (list, own) => list === undefined || list.includes(own)
  return Object.entries(packages)
    .filter(
      ([path, { cpu, link, os }]) =>
        path.startsWith("node_modules/") && link !== true && fits(os, process.platform) && fits(cpu, process.arch)
    )
    .map(([path]) => join(root, path, "package.json"))
}

/** Says how far it is, in one line that is written anew, where somebody looks. Answers what ends that. */
const progress = (root) => {
  if (process.stderr.isTTY !== true) return () => undefined
  const all = wanted(root)
  const began = Date.now()
  const write = (text) => process.stderr.write(`\r\u001B[K${text}`)
  const timer = setInterval(() => {
    const there = all.filter((file) => existsSync(file)).length
    write(`${Math.round((Date.now() - began) / 1_000)} s, ${there} of about ${all.length} packages`)
  }, everyMs)
  return () => {
    clearInterval(timer)
    write("")
  }
}

/** Runs npm with this PATH, which has none of our own programs: it is to run on no Node that it is about to replace. Answers what went wrong, or null. */
export const install = async (root, path) => {
  const child = spawn("npm", ["ci", "--loglevel=error"], {
    cwd: root,
    env: { ...process.env, PATH: path },
    stdio: ["ignore", "pipe", "pipe"]
  })
  const end = progress(root)
  let said = ""
  child.stderr.setEncoding("utf8").on("data", (text) => (said += text))
  let done = ""
  child.stdout.setEncoding("utf8").on("data", (text) => (done += text))
  const status = await new Promise((resolve) => {
    child.on("error", ({ code }) => resolve(code))
    child.on("close", resolve)
  })
  end()
  if (status === 0) {
    // The rest is what our own scripts told npm, of which nobody need know.
    for (const sentence of done.match(/^added .*$/gm) ?? []) console.error(sentence)
    return null
  }
  if (status === "ENOENT") return "npm was not found; install Node.js 20 or newer with npm, then run this again."
  const known = causes.find(([pattern]) => pattern.test(said))
  if (known !== undefined) return `npm ci failed: ${known[1]}`
  console.error(said)
  return "npm ci failed, see above; fix what it names, then run this again."
}
