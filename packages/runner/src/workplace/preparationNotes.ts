import { Effect } from "effect"
import { AttemptHindered } from "../attempt/AttemptTools.ts"
import { isLasting, type PreparationFailed } from "../environment/PreparationFailed.ts"
import type { HookFailed } from "../environment/profiles/Profile.ts"
import type { OnLine } from "../environment/runStep.ts"
import type { SandboxError } from "../sandbox/Sandbox.ts"
import type { PlaceUnwritable } from "./PlaceRecord.ts"

type Hindrance = PreparationFailed | HookFailed | SandboxError | PlaceUnwritable

/** People follow what is prepared for them; the log is for what happened, and not for every line of it. */
const everyMs = 2_000
const linesMax = 400
const charsMax = 8_000

/** Hears lines, and hands them on many at a time, the first hundreds of them, until the scope closes. */
export const preparationNotes = Effect.fnUntraced(function* (note: (said: string) => Effect.Effect<void>) {
  let waiting: Array<string> = []
  let heard = 0
  const flush = Effect.suspend(() => {
    if (waiting.length === 0) return Effect.void
    const said = waiting.join("\n")
    waiting = []
    return note(said.length > charsMax ? `${said.slice(0, charsMax)} …` : said)
  })
  yield* Effect.addFinalizer(() => {
    if (heard > linesMax) waiting.push(`… and ${heard - linesMax} lines more`)
    return flush
  })
  yield* Effect.forkScoped(Effect.forever(Effect.delay(flush, everyMs)))
  const onLine: OnLine = (line) =>
    Effect.sync(() => {
      if (++heard <= linesMax) waiting.push(line)
    })
  return onLine
})

const messageMax = 4_000

/** The end says why: what comes before it may be cut. */
const shortened = (message: string) =>
  message.length <= messageMax ? message : `${message.slice(0, 500)}\n…\n${message.slice(500 - messageMax)}`

/** What was refused, or failed by the packages' own word, would fail again. */
const isRetryable = (error: Hindrance): boolean =>
  error._tag !== "PreparationFailed" || !(isLasting(error) || error.reason._tag === "Refused")

/** Why an attempt does not begin, in the words of whatever was in the way. */
export const hinderedBy = (error: Hindrance): AttemptHindered =>
  new AttemptHindered({
    code: error._tag === "SandboxError" ? "sandbox_failed" : "environment_failed",
    detail: shortened(error.message),
    retryable: isRetryable(error)
  })
