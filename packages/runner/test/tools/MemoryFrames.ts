import type { AttemptFrames } from "../../src/attempt/AttemptFrames.ts"
import { JournalFull } from "../../src/attempt/AttemptFrames.ts"
import type { FrameBody } from "@troupe/domain/session/Frame"
import { Effect, Latch } from "effect"

type BodyOf<Tag extends FrameBody["_tag"]> = Extract<FrameBody, { readonly _tag: Tag }>

/** The frames of an attempt in memory. A node that is slow, away or full is played by the test. */
export class MemoryFrames implements AttemptFrames {
  readonly bodies: Array<FrameBody> = []
  /** Frames up to here are in the log; Infinity: all are, at once. */
  private acknowledged = Number.POSITIVE_INFINITY
  private readonly lease = Latch.makeUnsafe(true)
  private changed = Latch.makeUnsafe(false)
  private room = Number.POSITIVE_INFINITY

  readonly emit = (body: FrameBody): Effect.Effect<number, JournalFull> =>
    Effect.suspend(() => {
      if (this.bodies.length >= this.room) {
        return Effect.fail(new JournalFull({ attemptId: "this", detail: "no room in the test" }))
      }
      const n = this.bodies.push(body)
      this.touch()
      return Effect.succeed(n)
    })

  readonly say = (body: FrameBody) => Effect.asVoid(this.emit(body))

  readonly written: Effect.Effect<void, JournalFull> = Effect.void

  readonly committed = (frame: number): Effect.Effect<void> => this.until(() => frame <= this.acknowledged)

  readonly delta = (): void => {}

  readonly thinks = (): void => {}

  readonly mayBegin: Effect.Effect<void> = Effect.suspend(() => this.lease.await)

  /** From here on nothing is in the log before it is acknowledged. */
  hold(): void {
    this.acknowledged = this.bodies.length
  }

  acknowledge(upTo = Number.POSITIVE_INFINITY): void {
    this.acknowledged = upTo
    this.touch()
  }

  loseContact(): void {
    this.lease.closeUnsafe()
  }

  findContact(): void {
    this.lease.openUnsafe()
  }

  fillUp(afterMore: number): void {
    this.room = this.bodies.length + afterMore
  }

  /** Waits until the attempt has said this. */
  said(tag: FrameBody["_tag"], times = 1): Effect.Effect<void> {
    return this.until(() => this.all(tag).length >= times)
  }

  all<const Tag extends FrameBody["_tag"]>(tag: Tag): ReadonlyArray<BodyOf<Tag>> {
    return this.bodies.filter((body): body is BodyOf<Tag> => body._tag === tag)
  }

  last<const Tag extends FrameBody["_tag"]>(tag: Tag): BodyOf<Tag> {
    const found = this.all(tag).at(-1)
    if (found === undefined) throw new Error(`no ${tag} was said, but ${this.tags().join(", ")}`)
    return found
  }

  tags(): ReadonlyArray<FrameBody["_tag"]> {
    return this.bodies.map(({ _tag }) => _tag)
  }

  private until(condition: () => boolean): Effect.Effect<void> {
    return Effect.suspend(() => (condition() ? Effect.void : Effect.andThen(this.changed.await, this.until(condition))))
  }

  private touch(): void {
    const { changed } = this
    this.changed = Latch.makeUnsafe(false)
    changed.openUnsafe()
  }
}
