import type { Recorded } from "@troupe/domain/log/Envelope"
import { Schema, SchemaTransformation } from "effect"
import { eventBytes, type Fed } from "./Feeds.ts"

/** One frame of a feed on its way to another node. Empty, as the first one is, it says that the feed stands. */
export type FedFrame = ReadonlyArray<Fed>

/** A frame larger than the transport takes would end the connection, and every call on it. */
const frameBytesMax = 1_048_576

// Fields by place: names would be a third of what is sent. Both ends run one release or two neighbours: append only.
const fields = [
  "seq",
  "eventId",
  "type",
  "version",
  "payload",
  "actorText",
  "causationId",
  "correlationId",
  "threadId",
  "epoch",
  "recordedAt",
  "salt",
  "commitment",
  "chain",
  "stream",
  "streamId",
  "workspaceId"
] as const satisfies ReadonlyArray<keyof Recorded>

const packEvent = (event: Recorded) => fields.map((field) => event[field])
const unpackEvent = (packed: ReadonlyArray<unknown>) =>
  Object.fromEntries(fields.map((field, at) => [field, packed[at]])) as unknown as Recorded

export const encode = (frame: FedFrame): string =>
  JSON.stringify(
    frame.map((fed) =>
      fed._tag === "Events"
        ? fed.events.map(packEvent)
        : { b: fed.blockId, o: fed.offset, t: fed.text, h: fed.threadId, a: fed.after, k: fed.kind }
    )
  )

interface PackedDelta {
  readonly b: string
  readonly o: number
  readonly t: string
  readonly h: string
  readonly a: number
  readonly k?: "thinking"
}

type Packed = ReadonlyArray<ReadonlyArray<unknown>> | PackedDelta

const isEvents = (packed: Packed): packed is ReadonlyArray<ReadonlyArray<unknown>> => Array.isArray(packed)

export const decode = (text: string): FedFrame =>
  (JSON.parse(text) as ReadonlyArray<Packed>).map((packed) =>
    isEvents(packed)
      ? { _tag: "Events", events: packed.map(unpackEvent) }
      : {
          ...{
            _tag: "Delta",
            blockId: packed.b,
            offset: packed.o,
            text: packed.t,
            threadId: packed.h,
            after: packed.a
          },
          ...(packed.k === undefined ? {} : { kind: packed.k })
        }
  )

/** Crosses to another node as one string; on the node itself it is handed over as it is. */
export const FedFrame: Schema.Codec<FedFrame, string> = Schema.String.pipe(
  Schema.decodeTo(
    Schema.declare((input): input is FedFrame => Array.isArray(input)),
    SchemaTransformation.transform({ decode, encode })
  )
)

/** Divides what was published into frames of bearable size, in order. A single event may be larger than the bound. */
export const frames = (taken: ReadonlyArray<Fed>): ReadonlyArray<FedFrame> => {
  const done: Array<FedFrame> = []
  let frame: Array<Fed> = []
  let bytes = 0
  const close = () => {
    if (frame.length > 0) done.push(frame)
    frame = []
    bytes = 0
  }
  for (const fed of taken) {
    if (fed._tag === "Delta") {
      if (bytes > frameBytesMax) close()
      frame.push(fed)
      bytes += fed.text.length
      continue
    }
    let events: Array<Recorded> = []
    for (const event of fed.events) {
      const size = eventBytes(event)
      if (bytes > 0 && bytes + size > frameBytesMax) {
        if (events.length > 0) frame.push({ _tag: "Events", events })
        events = []
        close()
      }
      events.push(event)
      bytes += size
    }
    if (events.length > 0) frame.push({ _tag: "Events", events })
  }
  close()
  return done
}
