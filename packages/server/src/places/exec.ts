import { type ExecEnding, type ExecIn, outputBytesMax, timeoutOf } from "@troupe/domain/api/Places"
import type { Session } from "@troupe/domain/api/Sessions"
import type { Ending } from "@troupe/domain/runner/Workplace"
import { Effect, Stream } from "effect"
import { Caller } from "../gateway/Requests.ts"
import { Workplaces } from "../runners/Workplaces.ts"
import { command as tell } from "../sessions/SessionCalls.ts"
import { placeFailure } from "./failures.ts"

export const endingOf = (ending: Ending): ExecEnding => {
  switch (ending._tag) {
    case "Exited":
      return { type: "exited", exit_code: ending.code, message: null }
    case "Signalled":
      return { type: "signalled", exit_code: null, message: ending.signal }
    case "TimedOut":
      return { type: "timed_out", exit_code: null, message: `It ran for ${ending.afterMs} ms` }
    case "OutOfMemory":
      return { type: "out_of_memory", exit_code: null, message: null }
    case "OutOfDisk":
      return { type: "out_of_disk", exit_code: null, message: null }
    case "Killed":
      return { type: "killed", exit_code: null, message: ending.reason }
  }
}

const wordsOf = (command: ExecIn["command"]): readonly [string, ...ReadonlyArray<string>] =>
  typeof command === "string" ? ["/bin/sh", "-c", command] : command

/** In the log and on screens: what was run, not all of a script. */
const noteMax = 1_000
const nameOf = (command: ExecIn["command"]): string =>
  (typeof command === "string" ? command : command.join(" ")).slice(0, noteMax)

export type Out =
  | { readonly _tag: "Output"; readonly stream: "stdout" | "stderr"; readonly bytes: Uint8Array }
  | { readonly _tag: "Ended"; readonly ending: ExecEnding }

/** Runs a program of a person's at a session's place, and leaves a note of it in the log when it is over, however that came. */
export const run = Effect.fn("places.run")(function* (session: Session, asked: ExecIn) {
  const { workspaceId } = yield* Caller
  const workplaces = yield* Workplaces
  const context = yield* Effect.context<Effect.Services<ReturnType<typeof tell>>>()
  const note = (exitCode: number | null, ending: ExecEnding | null) => {
    const details = { cwd: asked.cwd ?? null, ending: ending?.type ?? "left" }
    const event = { _tag: "HumanExecuted", command: nameOf(asked.command), exitCode, details } as const
    return Effect.ignore(Effect.provideContext(tell(session.id, { _tag: "Note", event }), context))
  }
  let noted: Effect.Effect<void> = note(null, null)
  const output = workplaces.stream({ workspaceId, sessionId: session.id }, "Exec", {
    command: wordsOf(asked.command),
    cwd: asked.cwd ?? null,
    variables: asked.env ?? {},
    timeoutMs: timeoutOf(asked),
    input: asked.stdin === undefined ? null : new TextEncoder().encode(asked.stdin)
  })
  let begun = false
  return output.pipe(
    Stream.map((one): Out => {
      begun = true
      if (one._tag === "Output") return one
      const ending = endingOf(one.ending)
      noted = note(ending.exit_code, ending)
      return { _tag: "Ended", ending }
    }),
    Stream.mapError((error) => placeFailure(session.id, error)),
    Stream.ensuring(Effect.suspend(() => (begun ? noted : Effect.void)))
  )
})

/** Keeps the beginning of an output as text. */
const keeper = () => {
  const decoder = new TextDecoder()
  let text = ""
  let bytes = 0
  return {
    take: (more: Uint8Array): boolean => {
      const room = outputBytesMax - bytes
      bytes += more.length
      if (room > 0) text += decoder.decode(more.subarray(0, room), { stream: true })
      return more.length <= room
    },
    end: () => text + decoder.decode()
  }
}

/** All of it at once, when it is over. */
export const result = Effect.fnUntraced(function* (session: Session, asked: ExecIn) {
  const kept = { stdout: keeper(), stderr: keeper() }
  let truncated = false
  let ending: ExecEnding = { type: "killed", exit_code: null, message: "The runner said nothing of its end" }
  yield* Stream.runForEach(yield* run(session, asked), (one) =>
    Effect.sync(() => {
      if (one._tag === "Ended") ending = one.ending
      else if (!kept[one.stream].take(one.bytes)) truncated = true
    })
  )
  return {
    type: "exec_result" as const,
    stdout: kept.stdout.end(),
    stderr: kept.stderr.end(),
    truncated,
    ending
  }
})
