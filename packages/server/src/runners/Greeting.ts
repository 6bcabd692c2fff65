import type { Hello } from "@troupe/domain/runner/Hello"
import { negotiate, spoken } from "@troupe/domain/runner/Protocol"
import { Effect, Result, Schema } from "effect"
import type { CallTag, StreamTag } from "./Calls.ts"
import type { Connection } from "./Connection.ts"

/** The runner is not greeted, and its connection ends. */
export class GreetingFailed extends Schema.TaggedError<GreetingFailed>()("GreetingFailed", {
  code: Schema.Int,
  detail: Schema.String
}) {
  override get message() {
    return `The runner could not be greeted: ${this.detail}`
  }
}

const helloWithinMs = 10_000

/** A close frame has room for 123 bytes of it. */
const short = (text: string): string => Buffer.from(text).subarray(0, 120).toString()

/** Asks a runner that has just connected who it is, in a version that both speak. */
export const greet = Effect.fnUntraced(function* (
  connection: Connection<CallTag, StreamTag>,
  as: {
    readonly runnerId: string
    readonly generation: number
    readonly node: string
    readonly contactLeaseMs: number
    readonly ours: ReadonlyArray<string>
  }
): Effect.fn.Return<Hello, GreetingFailed> {
  const { contactLeaseMs, generation, node, ours, runnerId } = as
  const asked = connection.call(runnerId, "Hello", {
    versions: spoken,
    runnerId: runnerId as never,
    generation,
    node,
    contactLeaseMs,
    ours
  })
  const hello = yield* Effect.timeout(asked, helloWithinMs).pipe(
    Effect.mapError((error) =>
      error._tag === "VersionRefused"
        ? new GreetingFailed({ code: 4406, detail: short(error.message) })
        : error._tag === "TimeoutError"
          ? new GreetingFailed({ code: 4408, detail: "no answer to the greeting" })
          : new GreetingFailed({ code: 4400, detail: "the answer to the greeting can't be read" })
    )
  )
  const { version } = hello
  const agreed = negotiate(spoken, { min: version, max: version })
  if (Result.isFailure(agreed)) return yield* new GreetingFailed({ code: 4406, detail: short(agreed.failure.message) })
  return hello
})
