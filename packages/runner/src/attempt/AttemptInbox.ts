import { Deferred, Effect } from "effect"
import type { Inbox, Steer } from "../harness/Harness.ts"
import type { AttemptFrames } from "./AttemptFrames.ts"

/** What people sent to an attempt. Each steer is given to the harness once, however often it is delivered. */
export class AttemptInbox {
  private readonly waiting = new Map<string, Steer>()
  private readonly taken = new Set<string>()
  private reason: "paused" | "budget" | null = null
  private readonly stopped = Deferred.makeUnsafe<"paused" | "budget">()

  steer(message: Steer): void {
    if (!this.taken.has(message.inputId)) this.waiting.set(message.inputId, message)
  }

  stop(reason: "paused" | "budget"): void {
    this.reason ??= reason
    Deferred.doneUnsafe(this.stopped, Effect.succeed(this.reason))
  }

  forHarness(frames: Pick<AttemptFrames, "emit">): Inbox {
    return {
      takeSteers: Effect.gen({ self: this }, function* () {
        const messages = [...this.waiting.values()]
        this.waiting.clear()
        for (const { inputId } of messages) this.taken.add(inputId)
        for (const { inputId } of messages) yield* frames.emit({ _tag: "SteerTaken", inputId })
        return messages
      }),
      stop: Effect.sync(() => this.reason),
      stopped: Deferred.await(this.stopped)
    }
  }
}
