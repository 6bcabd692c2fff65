// Writes package-lock.json and completes it, run as `npm run lock` after a change of dependencies.
//
// A registry mirror may lack the builds of a tool for other platforms. npm then leaves those optional packages out of the
// lock without a word, and the next `npm ci` refuses the lock as incomplete. The missing entries are fully determined by
// their parent (exact version, platform in the name), so they are added here.
import { spawnSync } from "node:child_process"
import { readFileSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("..", import.meta.url))
const file = new URL("../package-lock.json", import.meta.url)

const systems = ["aix", "android", "darwin", "freebsd", "linux", "netbsd", "openbsd", "openharmony", "sunos", "win32"]
const cpus = ["arm64", "arm", "ia32", "loong64", "mips64el", "ppc64", "riscv64", "s390x", "x64"]
const libcs = { gnu: "glibc", gnueabihf: "glibc", musl: "musl", musleabihf: "musl" }

const platformOf = (name) => {
  const parts = name.split(/[/-]/)
  const os = parts.find((part) => systems.includes(part))
  const cpu = parts.find((part) => cpus.includes(part))
  const libc = parts.map((part) => libcs[part]).find((value) => value !== undefined)
  if (os === undefined || cpu === undefined) return undefined
  return { cpu: [cpu], ...(libc !== undefined && os === "linux" ? { libc: [libc] } : {}), os: [os] }
}

const complete = (lock) => {
  const packages = lock.packages
  const added = []
  for (const [path, entry] of Object.entries(packages)) {
    for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
      const at = `node_modules/${name}`
      if (at in packages || `${path}/${at}` in packages) continue
      const platform = platformOf(name)
      if (platform === undefined || !/^\d+\.\d+\.\d+\S*$/.test(version)) {
        throw new Error(
          `${name}@${version} is missing from the lock and cannot be derived: take another version of its parent`
        )
      }
      packages[at] = {
        version,
        cpu: platform.cpu,
        ...(entry.dev ? { dev: true } : {}),
        ...(platform.libc ? { libc: platform.libc } : {}),
        optional: true,
        os: platform.os
      }
      added.push(`${name}@${version}`)
    }
  }
  const sorted = Object.entries(packages).sort(([a], [b]) => a.localeCompare(b, "en"))
  return { lock: { ...lock, packages: Object.fromEntries(sorted) }, added }
}

if (!process.argv.includes("--offline")) {
  const { status } = spawnSync("npm", ["install", "--package-lock-only", "--ignore-scripts"], {
    cwd: root,
    stdio: "inherit"
  })
  if (status !== 0) process.exit(status ?? 1)
}
const { lock, added } = complete(JSON.parse(readFileSync(file, "utf8")))
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`)
console.log(`package-lock.json: ${Object.keys(lock.packages).length} entries, ${added.length} completed`)
