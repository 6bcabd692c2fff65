import { Limits } from "../../src/Limits.ts"
import { Coverage } from "./coverage.ts"
import { generateCommand } from "./generate.ts"
import { frames, hash, lose, message, openThread, resource, send, started, wake } from "./make.ts"
import { prng } from "../../../../test/support/Prng.ts"
import { generateScript, shortScript } from "./script.ts"
import { World } from "./world.ts"

/** One thing that happens in a story. Its own seed keeps it the same when others are dropped. */
export interface Step {
  readonly kind: Kind
  readonly seed: number
}

const kinds = {
  client: 22,
  place: 20,
  run: 40,
  repeat: 2,
  tear: 1,
  babble: 0.5,
  late: 1.5,
  lose: 2.5,
  wake: 4,
  wait: 4,
  redact: 1,
  note: 0.5,
  waiting: 1,
  flood: 0.01,
  crowd: 0.05,
  heap: 0.02
} as const
type Kind = keyof typeof kinds

export const storyOf = (seed: number, length: number): ReadonlyArray<Step> => {
  const random = prng(seed)
  return Array.from({ length }, () => ({ kind: random.weighted(kinds), seed: random.int(2 ** 31) }))
}

export const take = (world: World, { kind, seed }: Step): void => {
  const random = prng(seed)
  const attempts = world.working()
  const some = attempts.length > 0 ? random.pick(attempts) : undefined
  switch (kind) {
    case "client":
      world.tell(generateCommand(random, world.state))
      return
    case "place":
      return world.place(random, (calls) => generateScript(random, calls))
    case "run":
      return some === undefined ? undefined : world.run(some, 1 + random.int(4))
    case "repeat":
      if (some !== undefined && some.said.length > 0) world.deliver(some, random.int(some.said.length))
      return
    case "tear":
      if (some !== undefined) world.tell(frames(some.id, some.said.length + 2, started(0)))
      return
    case "babble":
      if (some !== undefined) world.say(some, [started(0)])
      return
    case "late": {
      const all = [...world.played.values()]
      if (all.length === 0) return
      const one = random.pick(all)
      if (!attempts.includes(one))
        world.tell(frames(one.id, random.int(one.said.length + 2) + 1, started(0), started(1)))
      return
    }
    case "lose": {
      const ids = world.threads.flatMap(({ ended, turn }) =>
        turn?.phase._tag === "Working" ? [turn.phase.attemptId] : ended === null ? [] : [ended.attemptId]
      )
      if (ids.length > 0) world.tell({ ...lose(0), attemptId: random.pick(ids) })
      return
    }
    case "wake":
      world.tell(wake)
      return
    case "wait":
      world.now += random.pick([10, 500, 2_000, 12_000])
      return
    case "redact": {
      const owed = world.state._tag === "Open" ? world.state.redactions : []
      if (owed.length > 0 && random.chance(0.3)) {
        const seqs = [owed[0]!, 1 + random.int(20)]
        world.tell({ _tag: "WidenRedaction", seqs, reason: "same", replacements: [hash(1), hash(2)] })
      }
      world.tell({ _tag: "ConfirmRedaction", seqs: owed.filter(() => random.chance(0.7)) })
      return
    }
    case "note":
      world.tell({ _tag: "Note", event: { _tag: "PlatformNoted", code: "c", message: "m", details: {} } })
      return
    case "waiting": {
      const { threadId, turn } = world.threads.find((thread) => thread.turn !== null) ?? {}
      if (threadId === undefined || !turn) return
      world.tell({ _tag: "NoteWaiting", threadId, turnId: turn.turnId, reason: random.pick(["busy", "none"]) })
      return
    }
    case "flood":
      for (let page = 0; page <= 20; page++) {
        const first = 2 ** 32 + random.int(2 ** 24) * 64
        world.tell(send(...Array.from({ length: 50 }, (_, index) => message(first + index))))
      }
      return
    case "crowd":
      for (let n = 3; n <= Limits.openThreadsMax + 2; n++) world.tell(openThread(n))
      return
    case "heap":
      for (let n = 10; n <= Limits.resourcesMax + 10; n++) world.tell({ _tag: "AddResource", resource: resource(n) })
      return
  }
}

/** No more trouble: everything that waits is answered, and everything must come to rest. */
export const drain = (world: World): void => {
  const random = prng(1)
  for (let round = 0; round < 3_000 && world.state._tag === "Open" && world.state.ended === null; round++) {
    const { budget, paused, threads } = world.state
    const calls = threads.flatMap(({ turn }) => turn?.calls.filter((call) => call.awaits !== "nothing") ?? [])
    const first = threads.flatMap(({ queue, turn }) => (turn === null && queue[0] !== undefined ? [queue[0]] : []))
    const surplus = threads.flatMap(({ queue }) => queue.slice(5))
    const asking = threads.flatMap(({ turn }) => (turn?.phase._tag === "Deciding" ? [turn.turnId] : []))
    if (paused || budget.length > 0) world.tell({ _tag: "Resume" })
    if (budget.length > 0) world.tell({ _tag: "ChangeBudget", budget: [] })
    for (const { turnId } of surplus) world.tell({ _tag: "WithdrawTurn", turnId, queueVersion: null })
    for (const { needsApproval, turnId } of first) {
      if (needsApproval) world.tell({ _tag: "ApproveTurn", turnId, queueVersion: null })
    }
    for (const call of calls) {
      const inputId = call.callId
      const given = { callId: call.callId, inputId }
      if (call.awaits === "confirmation")
        world.tell(send({ _tag: "Confirmation", ...given, decision: { type: "allow_once" } }))
      else if (call.awaits === "answer") world.tell(send({ _tag: "Answer", ...given, answer: "yes" }))
      else {
        const executor = call.executor === "worker" ? "worker" : "client"
        world.tell(send({ _tag: "ToolResult", ...given, content: [], isError: false, executor }))
      }
    }
    for (const turnId of asking) world.tell({ _tag: "RetryTurn", turnId })
    world.place(random, (open) => shortScript(random, open))
    const working = world.working()
    for (const attempt of working) world.run(attempt, 100)
    for (const attempt of world.working()) if (working.includes(attempt)) world.tell(lose(attempt.id))
    world.now += 30_000
    world.tell(wake)
    if (threads.every(({ queue, turn }) => turn === null && queue.length === 0)) break
  }
  if (world.state._tag === "Open" && world.state.redactions.length > 0) {
    world.tell({ _tag: "ConfirmRedaction", seqs: world.state.redactions })
  }
  if (world.state._tag === "Open") world.auditor.end(world.state)
}

/** Plays a story, and to its end unless it shall stop in the middle. */
export const play = (story: ReadonlyArray<Step>, coverage = new Coverage(), toTheEnd = true): World => {
  const world = new World(coverage)
  for (const step of story) take(world, step)
  if (toTheEnd) drain(world)
  return world
}
