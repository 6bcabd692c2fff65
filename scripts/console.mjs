// Builds the console where it is missing or older than its source, run by `npm start` and by tests.
import { spawnSync } from "node:child_process"
import { existsSync, readdirSync, renameSync, rmSync, statSync } from "node:fs"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("..", import.meta.url))
const folder = `${root}packages/console`
const dist = `${folder}/dist`
const sources = [
  ...["src", "public", "index.html", "vite.config.ts", "package.json"].map((name) => `${folder}/${name}`),
  `${root}packages/client/src`,
  `${root}packages/domain/src`
]

const newest = (path) => {
  const found = statSync(path)
  if (!found.isDirectory()) return found.mtimeMs
  return Math.max(0, ...readdirSync(path).map((name) => newest(`${path}/${name}`)))
}

const isStale = () =>
  !existsSync(`${dist}/index.html`) || Math.max(...sources.map(newest)) > statSync(`${dist}/index.html`).mtimeMs

/** Answers how it ended: null where nothing had to be done, else what the build printed and whether it worked. */
export const buildConsole = ({ env = process.env, node = process.execPath } = {}) => {
  if (!isStale()) return null
  // Built beside its place and moved there whole: whoever serves it meanwhile serves one build or the other.
  const made = `${folder}/dist.${process.pid}`
  const vite = `${root}node_modules/vite/bin/vite.js`
  const { status, stderr, stdout } = spawnSync(
    node,
    [vite, "build", "--outDir", made, "--emptyOutDir", "--logLevel", "warn"],
    {
      cwd: folder,
      // Tests say that they are tests; what is built is for people.
      env: { ...env, NODE_ENV: "production" },
      encoding: "utf8"
    }
  )
  if (status === 0) {
    rmSync(dist, { recursive: true, force: true })
    try {
      renameSync(made, dist)
    } catch {
      // Another build was quicker, of the same source.
      rmSync(made, { recursive: true, force: true })
    }
  }
  return { ok: status === 0, output: `${stdout}${stderr}` }
}
