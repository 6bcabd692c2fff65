import type { Recorded } from "@troupe/domain/log/Envelope"
import { Effect, Layer } from "effect"
import { EventStore, StoreUnavailable } from "../../src/log/EventStore.ts"

const zeros = "0".repeat(64)

export const recorded = (sessionId: string, seq: number, payload = `{"n":${seq}}`): Recorded =>
  ({
    eventId: `sevt_${seq}`,
    stream: "session",
    streamId: sessionId,
    workspaceId: "wrkspc_1",
    seq,
    type: "Noted",
    version: 1,
    actorText: `{"type":"system"}`,
    causationId: `cmd_${seq}`,
    correlationId: "0".repeat(32),
    threadId: null,
    epoch: 1,
    recordedAt: seq,
    salt: "00",
    commitment: zeros,
    chain: zeros,
    payload
  }) as unknown as Recorded

/** Logs without rules, for tests of those who only read: what is written is there, and every read is counted. */
export const fakeLog = () => {
  const logs = new Map<string, Array<Recorded>>()
  const of = (sessionId: string) => {
    const known = logs.get(sessionId)
    if (known !== undefined) return known
    const made: Array<Recorded> = []
    logs.set(sessionId, made)
    return made
  }
  const counts = { reads: 0, versions: 0 }
  let failing = false
  const answer = <A>(make: () => A) =>
    Effect.suspend(() =>
      failing ? Effect.fail(new StoreUnavailable({ operation: "read", cause: "down" })) : Effect.sync(make)
    )
  const missing = () => Effect.die(new Error("not part of this log"))
  const store = {
    read: (sessionId: string, { after, limit }: { readonly after: number; readonly limit: number }) =>
      answer(() => {
        counts.reads++
        return of(sessionId).slice(after, after + limit)
      }),
    versions: (ids: ReadonlyArray<string>) =>
      answer(() => {
        counts.versions++
        return new Map(ids.map((id) => [id, of(id).length]))
      })
  }
  return {
    counts,
    fail: (on: boolean) => {
      failing = on
    },
    write: (sessionId: string, count: number): ReadonlyArray<Recorded> => {
      const log = of(sessionId)
      const events = Array.from({ length: count }, () => recorded(sessionId, log.length + 1))
      for (const [index, event] of events.entries()) log.push({ ...event, seq: event.seq + index })
      return log.slice(-count)
    },
    layer: Layer.succeed(
      EventStore,
      new Proxy(store, { get: (target, key) => Reflect.get(target, key) ?? missing }) as never
    )
  }
}
