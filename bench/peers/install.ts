import { spawnSync } from "node:child_process"
import { existsSync, readFileSync, statSync } from "node:fs"
import { fileURLToPath } from "node:url"

const folder = fileURLToPath(new URL("./", import.meta.url))
const installed = `${folder}node_modules/.package-lock.json`

/** Installs the peers on first use, and again when their lock is newer. They are no dependency of the product. */
export const installPeers = (say: (line: string) => void): void => {
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(`${folder}package-lock.json`).mtimeMs) return
  const { dependencies } = JSON.parse(readFileSync(`${folder}package.json`, "utf8")) as { dependencies: object }
  say(`Installing ${Object.keys(dependencies).join(", ")} …`)
  const { status } = spawnSync("npm", ["ci", "--no-audit", "--no-fund"], { cwd: folder, stdio: ["ignore", 2, 2] })
  if (status !== 0) throw new Error(`npm ci in ${folder} failed`)
}

export const peers = {
  emmett: new URL("./emmett.js", import.meta.url),
  dbos: new URL("./dbos.js", import.meta.url),
  durableStreams: new URL("./durableStreams.js", import.meta.url),
  restate: new URL("./restate.js", import.meta.url)
}
