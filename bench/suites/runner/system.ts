import { type SessionId, toUuid } from "@troupe/domain/Ids"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { readdirSync, readFileSync } from "node:fs"
import { System } from "../../../e2e/support/System.ts"
import type { NodeProcess } from "../../../packages/server/test/support/NodeProcess.ts"
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
    `SELECT recorded_at::float8 / 1000 AS at FROM events WHERE stream_id = '${toUuid(session)}' ORDER BY recorded_at`
  )
  const times = rows.map((row) => row.at)
  const before = Math.max(...times.filter((time) => time <= at))
  const after = Math.min(...times.filter((time) => time > at))
  if (!Number.isFinite(after)) throw new Error(`Nothing of ${session} came after its owner was killed`)
  return after - before
}

/** A session of this node's own, at rest. */
const restingOn = async (system: System, owner: NodeProcess): Promise<SessionId> => {
  for (let tries = 0; tries < 100; tries++) {
    const session = await system.open(owner)
    if (await owner.owns(session)) return session
  }
  throw new Error("None of a hundred sessions was given to this node")
}

/** Speaks to a session whose owner is dead until it is heard, by the node that takes it over. */
const takeover = async (system: System, session: SessionId, node: NodeProcess, at: number): Promise<number> => {
  const said = system.command({ _tag: "Send", inputs: [system.message("say: heard")] })
  while ((await node.command(session, said)).error !== undefined) await sleep(5)
  return Date.now() - at
}

/**
 * A busy session's node is killed: how long until the next thing that its runner said is in the log. Beside it, by the same
 * death: until a session at rest takes a command on the other node.
 */
export const attachTime: Bench = {
  id: "R-ATTACH",
  about: "attach after a node was killed",
  run: async ({ plan, quick, say, server }) => {
    const gaps: Array<number> = []
    const takeovers: Array<number> = []
    for (let attempt = 0; gaps.length < (quick ? 1 : plan.rounds); attempt++) {
      const measured = await withSystem(server, `attach_${attempt}`, async (system) => {
        const [owner, other] = [await system.node(), await system.node()]
        system.runner({ servers: [other.gateway] })
        const [session, resting] = [await system.open(owner), await restingOn(system, owner)]
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
        const taken = takeover(system, resting, other, at)
        const seen = (await system.log(session)).length
        await system.until(session, "it goes on", (events) => events.length > seen + 5)
        return { gap: await gapAround(system, session, at), taken: await taken }
      })
      // The session went to the node that has the runner: it is to be the other one that is killed.
      if (measured === null) continue
      gaps.push(measured.gap)
      takeovers.push(measured.taken)
      say(`  round ${gaps.length}: attached ${measured.gap.toFixed(0)} ms · taken over ${measured.taken.toFixed(0)} ms`)
    }
    const subject = { id: "R-ATTACH", metric: "from a node's death to the next frame in the log", unit: "ms" }
    return [
      bounded(subject, gaps, { atMost: 1_500 }),
      compared(subject, gaps, "a session at rest, taken over by its next command", takeovers, null)
    ]
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
  run: async ({ plan, quick, say, server }) => {
    const [rounds, sessions] = quick ? [1, 4] : [plan.rounds, 8]
    const values = await withSystem(server, "idle", async (system) => {
      const node = await system.node()
      const runner = system.runner({ args: ["--capacity", String(sessions * (rounds + 1))] })
      const work = async () => {
        const session = await system.open(node)
        await system.say(node, session, "run: true")
        await system.turnsEnded(session, 1)
      }
      // A young heap grows by itself: it is to have done so before anything is measured.
      for (let n = 0; n < sessions; n++) await work()
      await sleep(2_000)
      const [own, all, bare]: [Array<number>, Array<number>, Array<number>] = [[], [], []]
      for (let round = 1; round <= rounds; round++) {
        const before = treeKiB(runner.pid)
        for (let n = 0; n < sessions; n++) await work()
        await sleep(2_000)
        const after = treeKiB(runner.pid)
        own.push((after.runner - before.runner) / sessions)
        all.push((after.all - before.all) / sessions)
        bare.push(await bareShellKiB(sessions))
        const [inRunner, withShell, alone] = [own, all, bare].map((list) => list.at(-1)!.toFixed(0))
        say(`  round ${round}: ${inRunner} KiB in the runner · ${withShell} with its processes · ${alone} a bare shell`)
      }
      return { own, all, bare }
    })
    const subject = (metric: string) => ({ id: "R-IDLE", metric, unit: "KiB" })
    return [
      bounded(subject("in the runner's process, garbage included"), values.own, { atMost: 4_096 }),
      bounded(subject("with its shell in bubblewrap"), values.all, { atMost: 16_384 }),
      compared(subject("with its shell in bubblewrap"), values.all, "bash in a bare bubblewrap", values.bare, null)
    ]
  }
}
