import type { FrameBody } from "@troupe/domain/session/Frame"
import { Context, Effect, Layer } from "effect"
import { Journal } from "../../src/journal/Journal.ts"
import { type AttemptJournal, defaultSizes, type JournalSizes } from "../../src/journal/AttemptJournal.ts"

/** A journal of a directory, until the scope closes: a runner that starts and ends. */
export const openJournal = (directory: string, sizes: Partial<JournalSizes> = {}) =>
  Effect.map(Layer.build(Journal.layer(directory, { ...defaultSizes, ...sizes })), (services) =>
    Context.get(services, Journal)
  )

/** A runner's life: what is open when it ends is closed, as its process would. */
export const life = <A, E>(
  directory: string,
  sizes: Partial<JournalSizes>,
  live: (journal: Journal["Service"]) => Effect.Effect<A, E>
) => Effect.scoped(Effect.flatMap(openJournal(directory, sizes), live))

export const append = (attempt: AttemptJournal, body: FrameBody) =>
  Effect.callback<number, string>((resume) =>
    attempt.append(body, (result) =>
      resume(typeof result === "number" ? Effect.succeed(result) : Effect.fail(result.detail))
    )
  )

/** Everything from a frame on, as a follower would read it. */
export const readAll = (attempt: AttemptJournal, after: number) =>
  Effect.promise(async () => {
    const frames = []
    for (let sent = after; ;) {
      const some = await attempt.read(sent, { frames: 7, bytes: 4_096 })
      if (some.length === 0) return frames
      frames.push(...some)
      sent = some.at(-1)!.n
    }
  })

export const numbers = (frames: ReadonlyArray<{ readonly n: number }>) => frames.map(({ n }) => n)
export const range = (from: number, to: number) =>
  Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i)
