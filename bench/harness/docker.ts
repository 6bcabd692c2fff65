import { spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import { closeSync, mkdtempSync, openSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const answers = () => spawnSync("docker", ["version"], { stdio: "ignore", timeout: 10_000 }).status === 0
const images = new URL("../../docker/build-base.sh", import.meta.url).pathname

const startsWithinMs = 30_000
const buildsWithinMs = 400_000

/** Starts Docker as CI does, where none answers and this host has it and lets us. Answers why not, or what ends it. */
const startEngine = async (directory: string): Promise<string | (() => Promise<void>)> => {
  if (answers()) return async () => {}
  if (process.getuid?.() !== 0) return "no Docker engine answers, and only root can start one"
  const log = openSync(join(directory, "dockerd.log"), "w")
  const engine = spawn("dockerd", [], { stdio: ["ignore", log, log] })
  closeSync(log)
  const ended = new Promise<void>((resolve) => {
    engine.once("error", () => resolve())
    engine.once("exit", () => resolve())
  })
  const end = async () => {
    engine.kill("SIGTERM")
    await ended
  }
  const giveUpAt = performance.now() + startsWithinMs
  while (!answers()) {
    if (engine.pid === undefined) return "no Docker engine answers, and dockerd is not installed"
    if (engine.exitCode !== null || performance.now() > giveUpAt) {
      await end()
      return "no Docker engine answers, and dockerd did not start here"
    }
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  return end
}

/** With an engine that has the image of sandboxes, or without one and the reason said. What was started is ended after. */
export const withDocker = async <A>(say: (line: string) => void, use: () => Promise<A>): Promise<A> => {
  const directory = mkdtempSync(join(tmpdir(), "troupe-bench-docker-"))
  const end = await startEngine(directory)
  try {
    if (typeof end === "string") say(`  docker: ${end}`)
    else {
      const build = spawn(images, ["sandbox"], { stdio: "ignore", timeout: buildsWithinMs })
      const [code] = await once(build, "exit")
      if (code !== 0) say("  docker: docker/build-base.sh did not build the image of sandboxes")
    }
    return await use()
  } finally {
    if (typeof end !== "string") await end()
    rmSync(directory, { recursive: true, force: true })
  }
}
