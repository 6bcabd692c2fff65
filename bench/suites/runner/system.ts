import { spawn } from "node:child_process"
import { once } from "node:events"
import { readdirSync, readFileSync } from "node:fs"
import { System } from "../../../e2e/support/System.ts"
import { residentKiB } from "../../harness/Memory.ts"
import { bounded, compared } from "../../harness/Result.ts"
import type { Bench, Context } from "../../harness/Suite.ts"

const withSystem = async <A>(server: Context["server"], name: string, use: (system: System) => Promise<A>) => {
  const { url } = await server.createMigrated(name)
  const system = System.on(url)
  try {
    return await use(system)
  } finally {
    await system.end()
  }
}

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

/** The longest time in the session's log between two events around a moment. */
const gapAround = async (system: System, session: string, at: number): Promise<number> => {
  const rows = await system.query<{ at: number }>(
    `SELECT recorded_at::float8 / 1000 AS at FROM events ORDER BY recorded_at`
  )
  const times = rows.map((row) => row.at)
  const before = Math.max(...times.filter((time) => time <= at))
  const after = Math.min(...times.filter((time) => time > at))
  if (!Number.isFinite(after)) throw new Error(`Nothing of ${session} came after its owner was killed`)
  return after - before
}

/** A busy session's node is killed: how long until the next thing that its runner said is in the log. */
export const attachTime: Bench = {
  id: "R-ATTACH",
  about: "attach after a node was killed",
  run: async ({ plan, quick, say, server }) => {
    const gaps: Array<number> = []
    for (let attempt = 0; gaps.length < (quick ? 1 : plan.rounds); attempt++) {
      const gap = await withSystem(server, `attach_${attempt}`, async (system) => {
        const [owner, other] = [await system.node(), await system.node()]
        system.runner({ servers: [other.gateway] })
        const session = await system.open(owner)
        const steps = Array.from({ length: 400 }, (_, n) => `run: echo ${n}`).join("\n")
        await system.say(owner, session, steps)
        await system.until(
          session,
          "ten calls end",
          (events) => events.filter(({ _tag }) => _tag === "ToolFinished").length > 10
        )
        const victim = (await owner.owns(session)) ? owner : other
        if (victim === other) return null
        const at = Date.now()
        await victim.end("SIGKILL")
        const seen = (await system.log(session)).length
        await system.until(session, "it goes on", (events) => events.length > seen + 5)
        return gapAround(system, session, at)
      })
      // The session went to the node that has the runner: it is to be the other one that is killed.
      if (gap === null) continue
      gaps.push(gap)
      say(`  round ${gaps.length}: ${gap.toFixed(0)} ms`)
    }
    const subject = { id: "R-ATTACH", metric: "from a node's death to the next frame in the log", unit: "ms" }
    // Takeover of a killed owner is P10's; attaching adds to it.
    return [bounded(subject, gaps, { atMost: 1_500 })]
  }
}

/** A process and all below it. */
const treeKiB = (root: number): { readonly runner: number; readonly all: number } => {
  const children = new Map<string, Array<string>>()
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const parent = /PPid:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]!
      children.set(parent, [...(children.get(parent) ?? []), pid])
    } catch {
      // It ended meanwhile.
    }
  }
  const sum = (pid: string): number => {
    let own = 0
    try {
      own = residentKiB(pid)
    } catch {
      // It ended meanwhile.
    }
    return own + (children.get(pid) ?? []).reduce((total, child) => total + sum(child), 0)
  }
  return { runner: residentKiB(root), all: sum(String(root)) }
}

/** The least that an isolated shell costs: bubblewrap with as many namespaces, and bash at rest. */
const bareShellKiB = async (count: number): Promise<number> => {
  const shells = Array.from({ length: count }, () =>
    spawn(
      "bwrap",
      ["--unshare-all", "--die-with-parent", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "bash"],
      {
        stdio: ["pipe", "pipe", "inherit"]
      }
    )
  )
  try {
    await Promise.all(
      shells.map((shell) => {
        shell.stdin.write("echo ready\n")
        return once(shell.stdout, "data")
      })
    )
    return shells.reduce((total, { pid }) => total + treeKiB(pid!).all, 0) / count
  } finally {
    await Promise.all(
      shells.map((shell) => {
        const ended = once(shell, "exit")
        shell.kill("SIGKILL")
        return ended
      })
    )
  }
}

/** What a session costs that has used its sandbox and rests: its shell lives, its way out is open. */
export const idleMemory: Bench = {
  id: "R-IDLE",
  about: "memory of an idle session on a runner",
  run: async ({ quick, say, server }) => {
    const sessions = quick ? 4 : 24
    const { all, own } = await withSystem(server, "idle", async (system) => {
      const node = await system.node()
      const runner = system.runner({ args: ["--capacity", "64"] })
      const work = async () => {
        const session = await system.open(node)
        await system.say(node, session, "run: true")
        await system.turnsEnded(session, 1)
      }
      // A young heap grows by itself: it is to have done so before anything is measured.
      for (let n = 0; n < (quick ? 2 : 8); n++) await work()
      await sleep(2_000)
      const before = treeKiB(runner.pid)
      for (let n = 0; n < sessions; n++) await work()
      await sleep(2_000)
      const after = treeKiB(runner.pid)
      return { own: (after.runner - before.runner) / sessions, all: (after.all - before.all) / sessions }
    })
    const bare = await bareShellKiB(sessions)
    say(
      `  a session: ${own.toFixed(0)} KiB in the runner, ${all.toFixed(0)} KiB with its processes, ${bare.toFixed(0)} a bare shell`
    )
    const subject = (metric: string) => ({ id: "R-IDLE", metric, unit: "KiB" })
    return [
      bounded(subject("in the runner's process, garbage included"), [own], { atMost: 4_096 }),
      bounded(subject("with its shell in bubblewrap"), [all], { atMost: 16_384 }),
      compared(subject("with its shell in bubblewrap"), [all], "bash in a bare bubblewrap", [bare], null)
    ]
  }
}
