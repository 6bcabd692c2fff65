import {
  ConflictError,
  type EventStream,
  type MessageContent,
  type SessionEvent,
  type SessionHandle,
  type StreamedEvent,
  type Troupe,
  type Turn,
  type TurnQueue
} from "@troupe/client"
import { exitCodes } from "../app/exitCodes.ts"
import { failureOf } from "../connection/failure.ts"
import type { Reached } from "../connection/reach.ts"
import type { Outcome, Transcript } from "../session/Transcript.ts"
import type { Ask, Queued } from "./Model.ts"
import { dollars } from "../app/money.ts"
import { entitle } from "../session/title.ts"

const pastMax = 200

/** A session that a person talks to. */
export class Conversation {
  readonly #connection: Reached
  readonly #events: EventStream<StreamedEvent>
  readonly session: SessionHandle
  /** Of the messages to come; null: the session's own. */
  model: string | null = null
  #isEntitled = false

  private constructor(connection: Reached, session: SessionHandle, events: EventStream<StreamedEvent>) {
    this.#connection = connection
    this.session = session
    this.#events = events
  }

  static async open(connection: Reached, id: string): Promise<Conversation> {
    const session = connection.troupe.session(id)
    return new Conversation(connection, session, await session.stream({ deltas: true }))
  }

  get #troupe(): Troupe {
    return this.#connection.troupe
  }

  /** The end of what was said so far; answers how the session stands now. */
  async past(transcript: Transcript): Promise<Outcome | "Running"> {
    const { data } = await this.session.events({ order: "desc", limit: pastMax })
    let outcome: Outcome | "Running" | null = null
    for (const event of data.toReversed()) {
      const ended = transcript.take(event as SessionEvent)
      if (ended !== null) outcome = ended
      else if (event.type === "session.status_running") outcome = "Running"
    }
    return outcome ?? { _tag: "Completed" }
  }

  /** What happens from the moment on at which it was opened. */
  async *follow(): AsyncGenerator<StreamedEvent> {
    yield* this.#events
  }

  close(): void {
    this.#events.close()
  }

  /** Says something. With another model, it is given to the turn before that can begin. */
  async send(text: string, content: MessageContent = text): Promise<SessionEvent> {
    if (!this.#isEntitled) void entitle(this.session, text)
    this.#isEntitled = true
    if (this.model === null) return await this.session.send(content)
    const { model } = this
    await this.session.pause()
    try {
      const sent = await this.session.send(content)
      const turn = await this.#turnOf(sent.id)
      if (turn !== null) await this.#troupe.sessions.turns.edit(this.session.id, turn, { overrides: { model } })
      return sent
    } finally {
      await this.session.resume()
    }
  }

  /** Has what is said join the turn that runs. Without one, it is a turn of its own. */
  async steer(content: MessageContent): Promise<SessionEvent> {
    const sent = await this.session.send(content)
    const turn = await this.#turnOf(sent.id)
    if (turn !== null) {
      // A turn that has begun meanwhile need not be steered into another one.
      await this.#troupe.sessions.turns.steer(this.session.id, turn).catch((error: unknown) => {
        if (failureOf(error, this.#connection.server).code !== exitCodes.refused) throw error
      })
    }
    return sent
  }

  /** What was said, by whomever, and waits for its turn. */
  async waiting(): Promise<ReadonlyArray<Queued>> {
    const queues = await this.#queues()
    return queues.flatMap(({ data }) => data.map((turn) => ({ id: turn.event_id ?? turn.id, text: saidIn(turn) })))
  }

  /** Takes back what was said and waits. Answers with what it says by now, or null where it does not wait any more. */
  async takeBack(eventId: string): Promise<string | null> {
    for (const queue of await this.#queues()) {
      const turn = queue.data.find(({ event_id, id }) => event_id === eventId || id === eventId)
      if (turn === undefined) continue
      const seen = { queue_version: queue.version }
      const isTaken = await this.#troupe.sessions.turns.withdraw(this.session.id, turn.id, seen).then(
        () => true,
        (error: unknown) => {
          if (error instanceof ConflictError) return false
          throw error
        }
      )
      // It was changed, or another one was, or it has begun: what there is now says which.
      return isTaken ? saidIn(turn) : await this.takeBack(eventId)
    }
    return null
  }

  #queues(): PromiseLike<ReadonlyArray<TurnQueue>> {
    return this.#troupe.sessions.turns.queues(this.session.id)
  }

  async #turnOf(eventId: string): Promise<string | null> {
    const turns = (await this.#queues()).flatMap(({ data }) => data)
    return turns.find(({ event_id }) => event_id === eventId)?.id ?? null
  }

  /** What waits for a person, the oldest first. */
  async asks(): Promise<ReadonlyArray<Ask>> {
    const { approvals, questions } = this.#troupe.sessions
    const found: Array<Ask> = []
    for await (const approval of approvals.list(this.session.id)) found.push({ _tag: "Approval", approval })
    for await (const question of questions.list(this.session.id)) found.push({ _tag: "Question", question })
    return found.toSorted((one, other) => seqOf(one) - seqOf(other))
  }

  async standing(): Promise<string> {
    const { agent, id, usage } = await this.session.retrieve()
    const cost = dollars(usage.list_cost)
    const tokens = `${usage.input_tokens} in, ${usage.output_tokens} out`
    return [agent.name, this.model ?? agent.model.id, id, tokens, ...(cost === null ? [] : [cost])].join(" · ")
  }
}

const saidIn = ({ content }: Turn): string =>
  content.flatMap((block) => (typeof block["text"] === "string" ? [block["text"]] : [])).join("\n")

const seqOf = (ask: Ask) => (ask._tag === "Approval" ? ask.approval.seq : ask.question.seq)
