import { genesis } from "@troupe/domain/log/Chain"
import type { Recorded } from "@troupe/domain/log/Envelope"
import type { SummaryRow } from "@troupe/domain/session/Summary"
import { Effect, Layer, Option } from "effect"
import { AppendRefused, EventStore, type Append, type Head, type NewEvent, type Receipt, type Rejection } from "./EventStore.ts"

interface StreamLog {
  head: Head
  readonly shard: number
  readonly events: Array<NewEvent>
  readonly marks: Map<string, NewEvent>
  readonly rejections: Map<string, Rejection>
  summary: SummaryRow | null
  snapshot: { readonly version: number; readonly foldVersion: number; readonly state: string } | null
}

const nul = String.fromCharCode(0)

/** What the store promises, in its plainest form. The Postgres layer is held to the same suite. */
export const make = Effect.sync(() => {
  const streams = new Map<string, StreamLog>()
  const order: Array<NewEvent> = []

  const claim = (log: StreamLog): Head => {
    log.head = { ...log.head, epoch: log.head.epoch + 1 }
    return log.head
  }

  const refusal = (append: Append): AppendRefused["reason"] | undefined => {
    const log = streams.get(append.streamId)
    if (log === undefined) return { _tag: "NoStream" }
    if (log.head.epoch !== append.epoch) return { _tag: "Fenced", epoch: log.head.epoch }
    if (log.head.version !== append.expectedVersion) return { _tag: "VersionConflict", version: log.head.version }
    const ids = [...append.events.flatMap((event) => event.mark ?? []), ...append.rejections].map((one) => one.commandId)
    const commandIds = ids.filter((id) => log.marks.has(id) || log.rejections.has(id))
    if (commandIds.length > 0) return { _tag: "Duplicate", commandIds }
    const texts = [append.summary?.title, ...(append.summary?.labels ?? []), ...append.events.map((event) => event.payload)]
    if (texts.some((text) => text?.includes(nul))) return { _tag: "BadData", detail: "a text holds a NUL" }
    return undefined
  }

  const append = (append: Append) =>
    Effect.suspend(() => {
      const { streamId } = append
      const reason = refusal(append)
      if (reason !== undefined) return Effect.fail(new AppendRefused({ streamId, reason }))
      const log = streams.get(streamId)!
      for (const event of append.events) {
        log.events.push(event)
        order.push(event)
        if (event.mark !== null) log.marks.set(event.mark.commandId, event)
      }
      for (const rejection of append.rejections) log.rejections.set(rejection.commandId, rejection)
      const last = log.events.at(-1)
      log.head = {
        ...log.head,
        version: log.events.length,
        chain: last?.chain ?? genesis,
        lastRecordedAt: last?.recordedAt ?? 0,
        wakeAt: append.wakeAt
      }
      if (append.summary !== null) log.summary = append.summary
      return Effect.void
    })

  const receipt = (log: StreamLog, commandId: string): ReadonlyArray<Receipt> => {
    const event = log.marks.get(commandId)
    if (event !== undefined) {
      const { commandId, digest } = event.mark!
      return [{ _tag: "Accepted", commandId, digest, seq: event.seq }]
    }
    const rejected = log.rejections.get(commandId)
    if (rejected === undefined) return []
    const { digest, reason } = rejected
    return [{ _tag: "Rejected", commandId: rejected.commandId, digest, reason }]
  }

  const store = EventStore.of({
    head: (streamId) => Effect.sync(() => Option.fromUndefinedOr(streams.get(streamId)?.head)),
    claim: (streamId) => Effect.sync(() => Option.map(Option.fromUndefinedOr(streams.get(streamId)), claim)),
    create: ({ shard, stream, streamId, workspaceId }) =>
      Effect.sync(() => {
        const known = streams.get(streamId)
        if (known !== undefined) return claim(known)
        const log: StreamLog = {
          head: {
            stream,
            streamId,
            workspaceId,
            version: 0,
            epoch: 0,
            chain: genesis,
            lastRecordedAt: 0,
            wakeAt: null
          },
          shard,
          events: [],
          marks: new Map(),
          rejections: new Map(),
          summary: null,
          snapshot: null
        }
        streams.set(streamId, log)
        return claim(log)
      }),
    append,
    read: (streamId, { after, limit }) =>
      Effect.sync((): ReadonlyArray<Recorded> => streams.get(streamId)?.events.slice(after, after + limit) ?? []),
    readAll: ({ after, limit }) =>
      Effect.sync(() =>
        order
          .slice(Number(after.position), Number(after.position) + limit)
          .map((event, index) => ({
            cursor: { xid: "0", position: String(Number(after.position) + index + 1) },
            event
          }))
      ),
    receipts: (streamId, commandIds) =>
      Effect.sync(() => {
        const log = streams.get(streamId)
        return log === undefined ? [] : commandIds.flatMap((commandId) => receipt(log, commandId))
      }),
    commands: (streamId, { after, limit }) =>
      Effect.sync(() =>
        (streams.get(streamId)?.events ?? [])
          .flatMap((event) => (event.mark === null || event.seq <= after ? [] : [{ ...event.mark, seq: event.seq }]))
          .slice(0, limit)
      ),
    due: ({ limit, nowMs, shards }) =>
      Effect.sync(() =>
        [...streams.values()]
          .flatMap(({ head: { streamId, wakeAt }, shard }) =>
            wakeAt !== null && wakeAt <= nowMs && shards.includes(shard) ? [{ streamId, wakeAt }] : []
          )
          .sort((a, b) => a.wakeAt - b.wakeAt)
          .slice(0, limit)
      ),
    versions: (streamIds) =>
      Effect.sync(
        () =>
          new Map(
            streamIds.flatMap((id) => {
              const log = streams.get(id)
              return log === undefined ? [] : [[id, log.head.version] as const]
            })
          )
      ),
    snapshot: (streamId, foldVersion) =>
      Effect.sync(() => {
        const snapshot = streams.get(streamId)?.snapshot
        return snapshot === undefined || snapshot === null || snapshot.foldVersion !== foldVersion
          ? Option.none()
          : Option.some(snapshot)
      }),
    saveSnapshot: ({ foldVersion, state, streamId, version }) =>
      Effect.sync(() => {
        const log = streams.get(streamId)
        if (log !== undefined) log.snapshot = { foldVersion, state, version }
      })
  })

  /** All that is stored of one stream, for judges. */
  const dump = (streamId: string) => streams.get(streamId) ?? null

  return Object.assign(store, { dump })
})

export type EventStoreMemory = Effect.Success<typeof make>

export const layer = Layer.effect(EventStore, make)
