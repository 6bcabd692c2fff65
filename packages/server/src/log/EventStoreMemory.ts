import { utf8Length } from "@troupe/domain/CanonicalJson"
import { genesis } from "@troupe/domain/log/Chain"
import type { Recorded } from "@troupe/domain/log/Envelope"
import type { Committed } from "@troupe/domain/log/EventCodec"
import type { SummaryRow } from "@troupe/domain/session/Summary"
import { Effect, Layer, Option } from "effect"
import { encode } from "./AppendRows.ts"
import { AppendRefused, EventStore, pageBytesMax } from "./EventStore.ts"
import type { AnsweredCommand, Append, Due, Head, NewEvent, Receipt, Rejection } from "./EventStore.ts"

interface StreamLog {
  head: Head
  readonly shard: number
  readonly events: Array<NewEvent>
  readonly marks: Map<string, NewEvent>
  readonly rejections: Map<string, Rejection>
  readonly inputs: Set<string>
  summary: SummaryRow | null
  readonly snapshots: Map<number, { readonly version: number; readonly state: string }>
}

const nul = String.fromCharCode(0)

const commandIdsOf = ({ events, rejections }: Append) =>
  [...events.flatMap(({ mark }) => mark ?? []), ...rejections].map(({ commandId }) => commandId)

/** What no database would take. */
const unstorable = (append: Append): string | undefined => {
  try {
    encode(append)
    for (const { payload } of append.events) JSON.parse(payload)
  } catch (error) {
    return String(error)
  }
  const { events, rejections, summary } = append
  const texts = [
    ...events.flatMap(({ actorText, mark, payload, type }) => [actorText, mark?.body ?? "", payload, type]),
    ...rejections.flatMap(({ body, reason }) => [body, reason]),
    ...Object.values(summary ?? {}).flatMap((value) => (typeof value === "string" ? value : [])),
    ...(summary?.labels ?? []),
    ...Object.entries(summary?.metadata ?? {}).flat()
  ]
  return texts.some((text) => text.includes(nul)) ? "a text holds a NUL" : undefined
}

/** Cut where a page's bytes are full. */
const paged = (events: ReadonlyArray<NewEvent>, after: number, limit: number): ReadonlyArray<NewEvent> => {
  let bytes = 0
  const page = events.slice(after, after + limit)
  const cut = page.findIndex(({ payload }, index) => {
    const full = index > 0 && bytes >= pageBytesMax
    bytes += utf8Length(payload)
    return full
  })
  return cut < 0 ? page : page.slice(0, cut)
}

const recorded = ({ mark: _, ...event }: NewEvent): Recorded => event

const answered = (event: NewEvent): ReadonlyArray<AnsweredCommand> =>
  event.mark === null ? [] : [{ ...event.mark, version: event.seq - 1, rejection: null }]

const rejected = ({ body, commandId, digest, reason, version }: Rejection): AnsweredCommand => ({
  commandId,
  digest,
  body,
  version,
  rejection: reason
})

const byPlace = (a: AnsweredCommand, b: AnsweredCommand): number =>
  a.version - b.version ||
  Number(a.rejection === null) - Number(b.rejection === null) ||
  (a.commandId < b.commandId ? -1 : a.commandId > b.commandId ? 1 : 0)

const byWake = (a: Due, b: Due): number =>
  a.wakeAt - b.wakeAt || (a.streamId < b.streamId ? -1 : Number(a.streamId > b.streamId))

/** Safeguards to be left out, for proving that tests notice. */
interface Unsafe {
  /** Takes the writes of owners that were overtaken. */
  readonly withoutFencing?: boolean
  /** Knows no command again. */
  readonly withoutDuplicates?: boolean
}

const build = ({ withoutDuplicates = false, withoutFencing = false }: Unsafe) => {
  const streams = new Map<string, StreamLog>()
  const order: Array<NewEvent> = []

  const claim = (log: StreamLog): Head => {
    log.head = { ...log.head, epoch: log.head.epoch + 1 }
    return log.head
  }

  /** Another session that has the same external key. */
  const taken = ({ streamId, summary, workspaceId }: Append): boolean =>
    summary !== null &&
    summary.externalThreadKey !== null &&
    summary.deletedAt === null &&
    [...streams.values()].some(
      ({ head, summary: other }) =>
        other !== null &&
        head.streamId !== streamId &&
        head.workspaceId === workspaceId &&
        other.deletedAt === null &&
        other.origin === summary.origin &&
        other.externalThreadKey === summary.externalThreadKey
    )

  const refusal = (append: Append): AppendRefused["reason"] | undefined => {
    const broken = unstorable(append)
    if (broken !== undefined) return { _tag: "BadData", detail: broken }
    const log = streams.get(append.streamId)
    if (log === undefined || log.head.workspaceId !== append.workspaceId) return { _tag: "NoStream" }
    if (log.head.epoch !== append.epoch && !withoutFencing) return { _tag: "Fenced", epoch: log.head.epoch }
    if (log.head.version !== append.expectedVersion) return { _tag: "VersionConflict", version: log.head.version }
    const ids = commandIdsOf(append)
    const commandIds = ids.filter((id) => log.marks.has(id) || log.rejections.has(id))
    if (commandIds.length > 0 && !withoutDuplicates) return { _tag: "Duplicate", commandIds }
    const inputIds = append.inputIds.filter((id) => log.inputs.has(id))
    if (inputIds.length > 0 && !withoutDuplicates) return { _tag: "InputTaken", inputIds }
    if (taken(append)) return { _tag: "ExternalKeyTaken" }
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
      for (const inputId of append.inputIds) log.inputs.add(inputId)
      const last = append.events.at(-1)
      log.head = {
        ...log.head,
        version: log.events.length,
        chain: last?.chain ?? log.head.chain,
        lastRecordedAt: last?.recordedAt ?? log.head.lastRecordedAt,
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
          inputs: new Set(),
          summary: null,
          snapshots: new Map()
        }
        streams.set(streamId, log)
        return claim(log)
      }),
    append,
    read: (streamId, { after, limit }) =>
      Effect.sync((): ReadonlyArray<Recorded> =>
        paged(streams.get(streamId)?.events ?? [], after, limit).map(recorded)
      ),
    readToFold: (streamId, { after, limit }) =>
      Effect.sync((): ReadonlyArray<Committed> => paged(streams.get(streamId)?.events ?? [], after, limit)),
    readAll: ({ after, limit }) =>
      Effect.sync(() =>
        paged(order, Number(after.position), limit).map((event, index) => ({
          cursor: { xid: "0", position: String(Number(after.position) + index + 1) },
          event: recorded(event)
        }))
      ),
    receipts: (streamId, commandIds) =>
      Effect.sync(() => {
        const log = streams.get(streamId)
        if (log === undefined || withoutDuplicates) return []
        return commandIds.flatMap((commandId) => receipt(log, commandId))
      }),
    commands: (streamId, { after, limit }) =>
      Effect.sync(() => {
        const log = streams.get(streamId)
        return log === undefined
          ? []
          : [...log.events.flatMap(answered), ...[...log.rejections.values()].map(rejected)]
              .sort(byPlace)
              .filter((one) => after === null || byPlace(one, after) > 0)
              .slice(0, limit)
      }),
    due: ({ after, limit, nowMs, shards }) =>
      Effect.sync(() =>
        [...streams.values()]
          .flatMap(({ head: { streamId, wakeAt }, shard }): ReadonlyArray<Due> =>
            wakeAt !== null && wakeAt <= nowMs && shards.includes(shard) ? [{ streamId, wakeAt }] : []
          )
          .sort(byWake)
          .filter((one) => after === null || byWake(one, after) > 0)
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
      Effect.sync(() => Option.fromUndefinedOr(streams.get(streamId)?.snapshots.get(foldVersion))),
    restore: (streamId, { foldVersion, limit }) =>
      Effect.sync(() => {
        const log = streams.get(streamId)
        const snapshot = Option.fromUndefinedOr(log?.snapshots.get(foldVersion))
        const after = Option.isSome(snapshot) ? snapshot.value.version : 0
        return { snapshot, events: paged(log?.events ?? [], after, limit) }
      }),
    saveSnapshot: ({ foldVersion, state, streamId, version }) =>
      Effect.sync(() => {
        const snapshots = streams.get(streamId)?.snapshots
        if (snapshots !== undefined && (snapshots.get(foldVersion)?.version ?? 0) <= version) {
          snapshots.set(foldVersion, { state, version })
        }
      })
  })

  /** All that is stored of one stream, for judges. */
  const dump = (streamId: string) => {
    const log = streams.get(streamId)
    if (log === undefined) return null
    const newest = [...log.snapshots].sort(([a], [b]) => b - a)[0]
    return { ...log, snapshot: newest === undefined ? null : { foldVersion: newest[0], ...newest[1] } }
  }

  return Object.assign(store, { dump })
}

/** What the store promises, in its plainest form. The Postgres layer is held to the same suite. */
export const make = Effect.sync(() => build({}))

/** For tests alone: no layer leads here. */
export const makeUnsafe = (unsafe: Unsafe) => Effect.sync(() => build(unsafe))

export type EventStoreMemory = Effect.Success<typeof make>

export const layer = Layer.effect(EventStore, make)
