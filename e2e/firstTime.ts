/**
 * Does what a newcomer does, word for word as README says it, and prints what the terminals showed, with times:
 *
 *     node e2e/firstTime.ts [REPOSITORY] > docs/first-time.md
 *
 * The environment is empty but for a home that is empty too, and the PATH of the system: of ours, nothing is found but what the
 * clone brings. It needs git, and Node 20 or newer with npm.
 */
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from "node:fs"
import { loadavg, tmpdir } from "node:os"
import { join } from "node:path"
import { stripVTControlCharacters } from "node:util"

const [repository = join(import.meta.dirname, "..")] = process.argv.slice(2)
const place = mkdtempSync(join(tmpdir(), "troupe-first-"))
const home = join(place, "me")
const clone = join(home, "troupe")
const env = {
  PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  HOME: home,
  LANG: "C.UTF-8",
  TERM: "dumb"
}

const patienceMs = 900_000

/** What is left of a line that was written over, as by what tells how far it is. */
const leftOf = (line: string): string => line.replace(/\r+$/, "").split("\r").at(-1)!

/** As it stood in the terminal, without what is of this machine alone, and without what lets somebody in. */
const shown = (text: string): string =>
  stripVTControlCharacters(text)
    .split("\n")
    .map(leftOf)
    .join("\n")
    .replaceAll(home, "/home/me")
    .replaceAll(repository, "REPOSITORY")
    .replaceAll(/trp_(log|key)_\S+/g, "trp_$1_…")
    .replaceAll(/(?<=Linux sandbox )\S+/g, "…")
    .replaceAll(/^npm notice.*\n?/gm, "")
    .replace(/^\n+/, "")
    .trimEnd()

interface Terminal {
  readonly child: ChildProcess
  readonly said: () => string
  readonly began: number
}

/** A command in a terminal of its own. */
const terminal = (command: string, directory: string): Terminal => {
  const child = spawn("script", ["-qfec", `stty cols 120; ${command}`, "/dev/null"], {
    cwd: directory,
    env,
    stdio: ["pipe", "pipe", "inherit"]
  })
  let said = ""
  child.stdout.on("data", (chunk: Buffer) => (said += chunk.toString()))
  return { child, said: () => said, began: performance.now() }
}

const since = (began: number) => `${((performance.now() - began) / 1_000).toFixed(1)} s`

const says = async ({ child, said }: Terminal, words: string): Promise<void> => {
  const end = performance.now() + patienceMs
  while (!said().includes(words)) {
    if (child.exitCode !== null || performance.now() > end) throw new Error(`It did not say ${words}:\n${said()}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

const tell = (text: string) => void process.stdout.write(`${text}\n`)

const block = (command: string, output: string, took: string) =>
  tell(`\n\`\`\`\`console\n$ ${command}${output === "" ? "" : `\n${output}`}\n\`\`\`\`\n\n${took}`)

const begun = performance.now()

/** Types a command, and waits for its end. */
const types = async (command: string, directory = clone): Promise<void> => {
  const typed = terminal(command, directory)
  const [code] = (await once(typed.child, "close")) as [number | null]
  block(shown(command), shown(typed.said()), `_${since(typed.began)}_`)
  if (code !== 0) throw new Error(`${command} ended with ${code}`)
}

const starts = async (): Promise<Terminal> => {
  const npm = terminal("npm start", clone)
  await says(npm, "Ctrl-C stops it.")
  block("npm start", shown(npm.said()), `_ready after ${since(npm.began)}; it goes on in this terminal_`)
  return npm
}

const stops = async (npm: Terminal): Promise<void> => {
  const [before, began] = [npm.said().length, performance.now()]
  npm.child.stdin!.write("\u0003")
  await once(npm.child, "close")
  tell(
    `\nCtrl-C in the first terminal:\n\n\`\`\`\`console\n${shown(npm.said().slice(before))}\n\`\`\`\`\n\n_${since(began)}_`
  )
}

const story = async () => {
  tell("# The first time\n")
  tell(
    "What `node e2e/firstTime.ts` did and saw, word for word: a machine of two cores with git, an older Node and npm, a fresh clone, an empty home. " +
      `Other work waited for them too: a load of ${loadavg()[0]!.toFixed(0)} when it began.`
  )
  await types("git --version; node --version; npm --version", home)
  await types(`git clone --quiet ${repository} troupe`, home)
  const first = await starts()
  tell("\nIn a second terminal:")
  await types('npx troupe run "run: uname -a"')
  tell(`\nThat is a finished session, ${since(begun)} after the first command.`)
  await types("npx troupe sessions list")
  await types("npx troupe replay show last")
  await types("npx troupe replay verify last")
  await stops(first)
  tell("\n## The second time")
  const second = await starts()
  await stops(second)
}

mkdirSync(home)
// The accounts of Postgres and of sandboxes pass through it.
for (const directory of [place, home]) chmodSync(directory, 0o711)
try {
  await story()
} finally {
  rmSync(place, { recursive: true, force: true })
}
