import { apiKey } from "../../packages/server/test/support/apiKey.ts"
import type { NodeProcess, Watching } from "../../packages/server/test/support/NodeProcess.ts"
import { type Body, eventsOf, type SentEvent } from "../../packages/server/test/support/sentEvents.ts"
import { eventually } from "./waiting.ts"

const headers = { "x-api-key": apiKey }

/** One session, followed at one node in each of the ways that it can be: none is opened again. */
export class Streams {
  readonly log: Watching
  /** Events of the compatible API, and what is shown of them before. */
  readonly events: ReadonlyArray<SentEvent>
  /** Messages of the socket that carries many sessions. */
  readonly feed: ReadonlyArray<Body>
  /** The log by its numbers, as a call over RPC is told it. */
  readonly rpc: ReadonlyArray<number>
  /** Which of them have ended. */
  readonly ended: ReadonlyArray<string>
  readonly stop: () => void

  private constructor(parts: Pick<Streams, "log" | "events" | "feed" | "rpc" | "ended" | "stop">) {
    this.log = parts.log
    this.events = parts.events
    this.feed = parts.feed
    this.rpc = parts.rpc
    this.ended = parts.ended
    this.stop = parts.stop
  }

  static async open(node: NodeProcess, session: string): Promise<Streams> {
    const abort = new AbortController()
    const [events, feed, rpc, ended]: [Array<SentEvent>, Array<Body>, Array<number>, Array<string>] = [[], [], [], []]
    const path = `/v1/sessions/${session}/events/stream?event_deltas[]=agent.message`
    const response = await fetch(`${node.gateway}${path}`, { headers, signal: abort.signal })
    const reading = async () => {
      for await (const event of eventsOf(response)) events.push(event)
    }
    void reading().then(
      () => ended.push("events"),
      () => ended.push("events")
    )
    const socket = new WebSocket(`${node.gateway.replace("http", "ws")}/v1/feed`, { headers } as never)
    socket.onopen = () => socket.send(JSON.stringify({ type: "subscribe", session_id: session, deltas: true }))
    socket.onmessage = ({ data }) => {
      const message = JSON.parse(String(data))
      feed.push(message)
      socket.send(JSON.stringify({ type: "ack", n: message.n }))
    }
    socket.onclose = () => ended.push("feed")
    const calls = new WebSocket(`${node.gateway.replace("http", "ws")}/v1/rpc`, { headers } as never)
    const follow = { _tag: "Request", id: "1", tag: "FollowLog", payload: { id: session, after: 0 }, headers: [] }
    calls.onopen = () => calls.send(JSON.stringify(follow))
    calls.onmessage = ({ data }) => {
      const message = JSON.parse(String(data))
      if (message._tag !== "Chunk") return
      for (const value of message.values) rpc.push(JSON.parse(value).seq)
      calls.send(JSON.stringify({ _tag: "Ack", requestId: "1" }))
    }
    calls.onclose = () => ended.push("rpc")
    const log = node.watch(session, 0)
    void log.ended.then(() => ended.push("log"))
    const stop = () => {
      abort.abort()
      socket.close()
      calls.close()
      log.stop()
    }
    // Each has told of the beginning: what is said from now on is shown by all of them as it is said.
    await eventually("each of them has begun", () =>
      log.seqs.length > 0 && rpc.length > 0 && feed.some(({ type }) => type === "event") ? true : undefined
    )
    return new Streams({ log, events, feed, rpc, ended, stop })
  }

  /** How many parts of messages each of them has shown. */
  deltas(): ReadonlyArray<number> {
    return [
      this.log.lines.filter((line) => "delta" in line).length,
      this.events.filter(({ event }) => event === "event_delta").length,
      this.feed.filter(({ type }) => type === "delta").length
    ]
  }

  /** The log as the feed told it. */
  fed(): ReadonlyArray<number> {
    return this.feed.flatMap((message) => (message.type === "event" ? [message.event.seq] : []))
  }

  /** Whole events of the compatible API, in the order they came. */
  shown(): ReadonlyArray<string> {
    return this.events.flatMap(({ data, event }) => (event.startsWith("event_") ? [] : [data.id]))
  }
}
