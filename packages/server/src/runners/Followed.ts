import { Effect, Stream } from "effect"
import type { CallTag, StreamTag } from "./Calls.ts"
import type { Connection } from "./Connection.ts"

type Whole = Connection<CallTag, StreamTag>

/** Counts the attempts that are followed over a connection: how busy its runner is, known before it says so itself. */
export const counting = (connection: Whole): { readonly connection: Whole; readonly followed: () => number } => {
  const attempts = new Map<string, number>()
  const add = (attemptId: string, by: number) =>
    Effect.sync(() => {
      const sum = (attempts.get(attemptId) ?? 0) + by
      if (sum > 0) attempts.set(attemptId, sum)
      else attempts.delete(attemptId)
    })

  const counted = <A, E, R>(attemptId: string, stream: Stream.Stream<A, E, R>) =>
    Stream.unwrap(
      Effect.as(
        Effect.acquireRelease(add(attemptId, 1), () => add(attemptId, -1)),
        stream
      )
    )

  const stream = (runnerId: string, tag: StreamTag, payload: never): Stream.Stream<unknown, unknown> => {
    const inner: Stream.Stream<unknown, unknown> = connection.stream(runnerId, tag, payload)
    if (tag === "Run") return counted((payload as { attemptId: string }).attemptId, inner)
    if (tag === "Attach") return counted((payload as { attempt: { attemptId: string } }).attempt.attemptId, inner)
    return inner
  }

  return { connection: { ...connection, stream: stream as never }, followed: () => attempts.size }
}
