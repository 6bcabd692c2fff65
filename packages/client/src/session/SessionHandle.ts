import type { Call } from "../http/Call.ts"
import type { Pages } from "../http/Page.ts"
import type { Transport } from "../http/Transport.ts"
import type { CallOptions, StreamOptions } from "../options.ts"
import { Sessions } from "../resources/Sessions.ts"
import type { Streaming } from "../stream/EventStream.ts"
import type { EventStreamOptions } from "../stream/liveEvents.ts"
import type { Followed, LogStreamOptions } from "../stream/logStream.ts"
import type { Exec, ExecResult, Session, SessionDeleted, SessionFork, SessionUpdate } from "../types/api.ts"
import type {
  EventListQuery,
  Json,
  LogEvent,
  LogQuery,
  MessageContent,
  SessionEvent,
  StreamedEvent,
  UserEvent
} from "../types/events.ts"
import { LiveTimeline } from "./timeline.ts"
import { type StatusEvent, until, type UntilStatus } from "./until.ts"

const blocksOf = (content: MessageContent) =>
  typeof content === "string" ? [{ type: "text" as const, text: content }] : content

/** One session, to talk to and to follow. */
export class SessionHandle {
  readonly id: string
  readonly #transport: Transport
  readonly #sessions: Sessions

  constructor(transport: Transport, id: string) {
    this.id = id
    this.#transport = transport
    this.#sessions = new Sessions(transport)
  }

  /** Says something to the agent: words, or blocks of content. */
  send(content: MessageContent, options?: CallOptions): Call<SessionEvent> {
    return this.#one({ type: "user.message", content: blocksOf(content) }, options)
  }

  /** Says something, and brings what comes of it until the session rests. */
  ask(content: MessageContent, options?: EventStreamOptions): Streaming<StreamedEvent> {
    return this.#sessions.events.message(this.id, blocksOf(content), options)
  }

  /** Stops the turn that runs. */
  interrupt(options?: CallOptions): Call<SessionEvent> {
    return this.#one({ type: "user.interrupt" }, options)
  }

  /** Allows a call that waits for it: the id of its `agent.tool_use`. */
  approve(toolUseId: string, options?: CallOptions): Call<SessionEvent> {
    return this.#one({ type: "user.tool_confirmation", tool_use_id: toolUseId, result: "allow" }, options)
  }

  /** Refuses a call that waits for permission, and says why if there is something to say. */
  deny(toolUseId: string, message?: string, options?: CallOptions): Call<SessionEvent> {
    const why = message === undefined ? {} : { deny_message: message }
    return this.#one({ type: "user.tool_confirmation", tool_use_id: toolUseId, result: "deny", ...why }, options)
  }

  /** Answers a question, or gives the result of a tool of your own: the id of its `agent.custom_tool_use`. */
  answer(
    customToolUseId: string,
    answer: Json,
    { isError = false, ...options }: CallOptions & { readonly isError?: boolean } = {}
  ): Call<SessionEvent> {
    const text = typeof answer === "string" ? answer : JSON.stringify(answer)
    return this.#one(
      {
        type: "user.custom_tool_result",
        custom_tool_use_id: customToolUseId,
        content: [{ type: "text", text }],
        is_error: isError
      },
      options
    )
  }

  /** Waits until the session has a status: `await session.until("idle")` for what comes of all that was sent. */
  until<S extends UntilStatus>(status: S, options?: StreamOptions): Promise<StatusEvent<S>> {
    return until(this.#transport, this.id, status, options)
  }

  /** The session as people look at it: await it for the present, iterate to follow it. */
  timeline(options?: StreamOptions): LiveTimeline {
    return new LiveTimeline(this.#transport, this.id, options)
  }

  /** What happens from now on. */
  stream(options?: EventStreamOptions): Streaming<StreamedEvent> {
    return this.#sessions.events.stream(this.id, options)
  }

  events(query?: EventListQuery, options?: CallOptions): Pages<SessionEvent> {
    return this.#sessions.events.list(this.id, query, options)
  }

  log(query?: LogQuery, options?: CallOptions): Pages<LogEvent> {
    return this.#sessions.log.list(this.id, query, options)
  }

  /** The log from any place on, followed live. */
  followLog<const Options extends LogStreamOptions = LogStreamOptions>(
    options?: Options
  ): Streaming<Followed<Options>> {
    return this.#sessions.log.stream(this.id, options)
  }

  /** Runs a program where the session works, as a person would. */
  exec(command: Exec["command"], options?: CallOptions): Call<ExecResult> {
    return this.#sessions.place.exec(this.id, { command }, options)
  }

  /** What the agent answered last, as plain text. */
  output(options?: CallOptions): Call<string> {
    return this.#sessions.replay.output(this.id, {}, options)
  }

  /** Another session, which begins with what this one was: after an event, after a turn, or now. */
  fork(body?: SessionFork, options?: CallOptions): Call<SessionHandle> {
    return this.#sessions.fork(this.id, body, options).map(({ id }) => new SessionHandle(this.#transport, id))
  }

  retrieve(options?: CallOptions): Call<Session> {
    return this.#sessions.retrieve(this.id, options)
  }

  update(body: SessionUpdate, options?: CallOptions): Call<Session> {
    return this.#sessions.update(this.id, body, options)
  }

  pause(options?: CallOptions): Call<Session> {
    return this.#sessions.pause(this.id, options)
  }

  resume(options?: CallOptions): Call<Session> {
    return this.#sessions.resume(this.id, options)
  }

  archive(options?: CallOptions): Call<Session> {
    return this.#sessions.archive(this.id, options)
  }

  delete(options?: CallOptions): Call<SessionDeleted> {
    return this.#sessions.delete(this.id, options)
  }

  #one(event: UserEvent, options?: CallOptions): Call<SessionEvent> {
    return this.#sessions.events.send(this.id, [event], options).map(([sent]) => sent!)
  }
}
