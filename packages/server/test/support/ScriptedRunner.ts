import type { RunnerId } from "@troupe/domain/Ids"
import {
  AttemptGone,
  type AttemptRef,
  AttemptUnknown,
  EpochRefused,
  type Output,
  RunnerAway
} from "@troupe/domain/runner/Attempt"
import { Limits } from "@troupe/domain/Limits"
import { Clock, Effect, Fiber, Latch, type Scope, Stream } from "effect"
import type { RunnerNote } from "../../../../e2e/invariants/Evidence.ts"
import { AttemptDriver, type AttemptOrder, type PlaceLeft } from "../../src/session/AttemptDriver.ts"
import type { Script } from "./AttemptScript.ts"
import { mintId, type Prng } from "../../../../test/support/Prng.ts"
import { ScriptedAttempt, type Workshop } from "./ScriptedAttempt.ts"

export interface ScriptedRunnerOptions {
  readonly random: Prng
  readonly script: (request: AttemptOrder) => Script
  readonly runnerId: RunnerId
  /** For proving the judge: calls begin before their start is in the log. */
  readonly unsafeWithoutIntentGate?: boolean
  /** For how long it begins nothing more once it heard no node, where that is not as long as anywhere. */
  readonly contactLeaseMs?: number
}

export interface ScriptedRunner {
  readonly runnerId: RunnerId
  readonly driver: AttemptDriver["Service"]
  readonly notes: ReadonlyArray<RunnerNote>
  /** What it was told to take away. */
  readonly taken: ReadonlyArray<PlaceLeft>
  /** Calls fail and streams break until it is back. */
  readonly setAway: (away: boolean) => Effect.Effect<void>
  /** Links stay open, and nothing comes over them. */
  readonly setMute: (mute: boolean) => void
  /** Why no attempt can be placed, if so. */
  readonly setPlacement: (reason: string | null) => void
  /** Links lose frames and carry some twice, with this chance. */
  readonly setNoise: (chance: number) => void
  /** Its disk goes, it forgets everything without knowing so, or its process is started again with its journal. */
  readonly harm: (how: "disk" | "amnesia" | "restart") => Effect.Effect<void>
}

interface Held {
  readonly attempt: ScriptedAttempt
  readonly fiber: Fiber.Fiber<void>
}

type LinkError = RunnerAway | EpochRefused | AttemptGone

const zeros = "0".repeat(64)
export const digests = { policy: zeros, catalog: zeros, agent: zeros, harness: "scripted", model: "demo" }

/**
 * A runner that plays scripts. It keeps the contract of real ones: a journal of numbered frames until they are
 * acknowledged, the intent gate, the contact lease, one start per attempt, the highest epoch per session. It lives
 * outside of any node.
 */
export const make = Effect.fnUntraced(function* (
  options: ScriptedRunnerOptions
): Effect.fn.Return<ScriptedRunner, never, Scope.Scope> {
  const { random, runnerId } = options
  const clock = yield* Clock.Clock
  const scope = yield* Effect.scope
  const attempts = new Map<string, Held>()
  const epochs = new Map<string, number>()
  const revoked = new Set<string>()
  const notes: Array<RunnerNote> = []
  const taken: Array<PlaceLeft> = []
  const shop: Workshop = {
    random,
    clock,
    runnerId,
    note: (note) => void notes.push(note),
    sandboxes: new Map(),
    unsafeWithoutIntentGate: options.unsafeWithoutIntentGate ?? false,
    contactLeaseMs: options.contactLeaseMs ?? Limits.contactLeaseMs
  }
  const contactEveryMs = shop.contactLeaseMs / 3
  let away = false
  let mute = false
  let noise = 0
  let placement: string | null = null
  let link = Latch.makeUnsafe(false)

  const relink = () => {
    const broken = link
    link = Latch.makeUnsafe(false)
    broken.openUnsafe()
  }

  /** Refuses whoever is not the newest owner that it has heard of, or can't be reached at all. */
  const reached = ({ epoch, sessionId }: AttemptRef): RunnerAway | EpochRefused | undefined => {
    if (away) return new RunnerAway({ runnerId })
    const seen = epochs.get(sessionId) ?? 0
    if (epoch < seen) return new EpochRefused({ sessionId, epoch, seen })
    epochs.set(sessionId, epoch)
    return undefined
  }

  /** Which frames come next over a link that may lose some and repeat others. */
  const nextFrames = (attempt: ScriptedAttempt, sent: number) => {
    const left = attempt.frames.length - sent
    if (left <= 0) return []
    const from = left > 1 && random.chance(noise) ? sent + 1 : random.chance(noise) ? Math.max(0, sent - 2) : sent
    return attempt.frames.slice(from, Math.max(sent, from) + 1 + random.int(4))
  }

  const outputs = (ref: AttemptRef, attempt: ScriptedAttempt, after: number) => {
    let deltas = attempt.deltas.length
    let contacts = 0
    const say = (output: Output, sent: number) => {
      attempt.contact()
      return [output, sent] as const
    }
    const next = (sent: number): Effect.Effect<readonly [Output, number] | undefined, LinkError> =>
      Effect.gen(function* () {
        while (true) {
          const broken = link
          const refused = reached(ref)
          if (refused !== undefined) return yield* refused
          const { attemptId } = ref
          if (attempt.gone !== null) return yield* new AttemptGone({ attemptId, reason: attempt.gone })
          // It is another process that knows nothing of this one.
          if (attempts.get(attemptId)?.attempt !== attempt) return yield* new RunnerAway({ runnerId })
          const { changed } = attempt
          if (mute) {
            yield* broken.await
            continue
          }
          const delta = attempt.deltas[deltas]
          if (delta !== undefined) {
            deltas++
            return say({ _tag: "Delta", ...delta }, sent)
          }
          const frames = nextFrames(attempt, sent)
          if (frames.length > 0) return say({ _tag: "Frames", frames }, frames[frames.length - 1]!.n)
          if (attempt.done && attempt.acknowledged >= attempt.frames.length) return undefined
          const some = Effect.as(Effect.raceFirst(changed.await, broken.await), false)
          const silent = yield* Effect.raceFirst(some, Effect.as(Effect.sleep(contactEveryMs), true))
          if (silent && !mute && !away) return say({ _tag: "Contact", contact: ++contacts }, sent)
        }
      })
    return Stream.unfold(after, next)
  }

  const begin = Effect.fnUntraced(function* (request: AttemptOrder) {
    const { attemptId, epoch, sessionId } = request
    const at = clock.currentTimeMillisUnsafe()
    notes.push({ sessionId, attemptId, epoch, at, note: { _tag: "RunCalled" } })
    const known = attempts.get(attemptId)
    if (known !== undefined) return known.attempt
    const attempt = new ScriptedAttempt(shop, request, options.script(request))
    attempts.set(attemptId, { attempt, fiber: yield* Effect.forkIn(attempt.play(), scope) })
    return attempt
  })

  const discard = Effect.fnUntraced(function* (attemptId: string) {
    const held = attempts.get(attemptId)
    if (held === undefined) return
    yield* Fiber.interrupt(held.fiber)
    held.attempt.done = true
    held.attempt.lose("it was revoked")
  })

  const linked = <E>(ref: AttemptRef, open: Effect.Effect<Stream.Stream<Output, LinkError>, E>) =>
    Stream.unwrap(
      Effect.gen(function* () {
        const refused = reached(ref)
        if (refused !== undefined) return yield* refused
        return yield* open
      })
    )

  const driver = AttemptDriver.of({
    place: () =>
      Effect.sync(() =>
        away || placement !== null
          ? { _tag: "Waiting", reason: placement ?? "the runner is away" }
          : { _tag: "Placed", runnerId, digests }
      ),
    // It is certain where a turn goes as often as not.
    placeAtOnce: () =>
      away || placement !== null || random.chance(0.5) ? null : { _tag: "Placed", runnerId, digests },
    run: (request) =>
      linked(
        request,
        Effect.map(begin(request), (attempt) => outputs(request, attempt, 0))
      ),
    attach: (ref, afterFrame) =>
      linked(
        ref,
        Effect.suspend(() => {
          const held = attempts.get(ref.attemptId)
          if (held === undefined) return Effect.fail(new AttemptUnknown({ attemptId: ref.attemptId }))
          held.attempt.acknowledge(afterFrame)
          return Effect.succeed(outputs(ref, held.attempt, afterFrame))
        })
      ),
    acknowledge: (ref, { frame }) =>
      Effect.sync(() => {
        if (reached(ref) === undefined) attempts.get(ref.attemptId)?.attempt.acknowledge(frame)
      }),
    deliver: (ref, delivery) =>
      Effect.gen(function* () {
        const refused = reached(ref)
        if (refused !== undefined) return yield* refused
        const held = attempts.get(ref.attemptId)
        if (held === undefined) return yield* new AttemptUnknown({ attemptId: ref.attemptId })
        const { attempt } = held
        if (delivery._tag === "Steer") attempt.steer(delivery.message)
        else if (delivery._tag === "Stop") attempt.stop = delivery.reason
        else if (!attempt.deaf) {
          yield* Fiber.interrupt(held.fiber)
          attempt.cut("interrupted")
        }
        attempt.touch()
      }),
    revoke: ({ attemptId }) =>
      Effect.suspend(() => {
        // What can't be told now is told at the next hello.
        if (!away) return discard(attemptId)
        revoked.add(attemptId)
        return Effect.void
      }),
    takeAway: (place) =>
      Effect.sync(() => {
        if (away) return
        taken.push(place)
        shop.sandboxes.delete(place.sessionId)
      })
  })

  const harm: ScriptedRunner["harm"] = Effect.fnUntraced(function* (how) {
    for (const [attemptId, { attempt, fiber }] of [...attempts]) {
      yield* Fiber.interrupt(fiber)
      if (how === "disk" && attempt.gone === null) attempt.lose("the disk is gone")
      if (how === "amnesia") attempts.delete(attemptId)
      if (how === "restart") attempt.cut("restarted")
      attempt.touch()
    }
    relink()
  })

  return {
    runnerId,
    driver,
    notes,
    taken,
    setAway: Effect.fnUntraced(function* (next) {
      away = next
      relink()
      if (away) return
      for (const attemptId of revoked) yield* discard(attemptId)
      revoked.clear()
    }),
    setMute: (next) => {
      mute = next
      relink()
    },
    setPlacement: (reason) => {
      placement = reason
    },
    setNoise: (chance) => {
      noise = chance
    },
    harm
  }
})

/** A runner's id from chance. */
export const drawRunnerId = (random: Prng): RunnerId => mintId(random, "Runner") as RunnerId
