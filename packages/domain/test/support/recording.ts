import { Result } from "effect"
import { createHash } from "node:crypto"
import { EventId, WorkspaceId, fromUuid, prefixes } from "../../src/Ids.ts"
import * as Chain from "../../src/log/Chain.ts"
import type { CommandMark, Recorded } from "../../src/log/Envelope.ts"
import * as Codec from "../../src/session/Codec.ts"
import * as CommandBody from "../../src/session/CommandBody.ts"
import { inputIds, refusedByLog } from "../../src/session/logRules.ts"
import { plan } from "../../src/session/decide.ts"
import {
  isClientCommand,
  isFinal,
  type Command,
  type Refusal,
  type SessionCommand
} from "../../src/session/SessionCommand.ts"
import type { SessionEvent } from "../../src/session/SessionEvent.ts"
import { initial, type SessionState } from "../../src/session/SessionState.ts"
import { command, open, sessionId } from "../session/make.ts"

export const sha256: Chain.Sha256 = (text) => createHash("sha256").update(text, "utf8").digest("hex")

const uuid = (n: number) => `00000000-0000-7000-8000-${n.toString(16).padStart(12, "0")}`

/** A log as a server writes it; ids, salts and times follow from the place. */
export class Recording {
  readonly rows: Array<Recorded> = []
  readonly events: Array<SessionEvent> = []
  readonly commands: Array<CommandMark & { readonly seq: number }> = []
  readonly rejections: Array<CommandMark & { readonly version: number; readonly reason: string }> = []
  state: SessionState = initial
  epoch = 1
  now = 1_800_000_000_000
  #chain = Chain.genesis
  #commands = 0
  readonly #inputs = new Set<string>()

  get version(): number {
    return this.rows.length
  }

  get head() {
    return { version: this.version, chain: this.#chain, epoch: this.epoch }
  }

  /** Commands that are accepted, one after the other, a second apart. */
  tell(...bodies: ReadonlyArray<SessionCommand>): this {
    for (const body of bodies) {
      const refusal = this.#take(body)
      if (refusal !== null) throw new Error(`${JSON.stringify(body)} was refused: ${JSON.stringify(refusal)}`)
    }
    return this
  }

  /** Commands that are refused for good. */
  refuse(...bodies: ReadonlyArray<SessionCommand>): this {
    for (const body of bodies) if (this.#take(body) === null) throw new Error(`${JSON.stringify(body)} was accepted`)
    return this
  }

  #take(told: SessionCommand): Refusal | null {
    this.now += 1_000
    const taken = command(++this.#commands, this.now, told)
    const decided = plan(this.state, taken)
    const digest = CommandBody.digest(sha256, taken)
    const { commandId } = taken
    const log = { version: this.version, hasInput: (inputId: string) => this.#inputs.has(inputId) }
    const reason = Result.isFailure(decided) ? decided.failure.reason : refusedByLog(told, log)
    if (Result.isFailure(decided) || reason !== undefined) {
      if (reason === undefined) throw new Error("a refusal has a reason")
      if (!isFinal(reason) || !isClientCommand(told._tag)) return reason
      const body = CommandBody.compact(taken, [])
      this.rejections.push({ commandId, digest, body, version: this.version, reason: JSON.stringify(reason) })
      return reason
    }
    const { events, state } = decided.success
    for (const inputId of inputIds(told)) this.#inputs.add(inputId)
    if (isClientCommand(told._tag) && events.length > 0) {
      this.commands.push({ commandId, digest, body: CommandBody.compact(taken, events), seq: this.version + 1 })
    }
    for (const event of events) this.write(event, taken)
    this.state = state
    return null
  }

  /** Any event, decided or not. */
  write(event: SessionEvent, by: Command = command(++this.#commands, this.now, { _tag: "Wake" })): void {
    const { payload, threadId, type, version } = Codec.encode(event)
    const seq = this.version + 1
    const fields = {
      stream: "session" as const,
      streamId: sessionId(),
      workspaceId: WorkspaceId.make(fromUuid(prefixes.Workspace, uuid(1))),
      seq,
      eventId: EventId.make(fromUuid(prefixes.Event, uuid(0x40_0000 + seq))),
      type,
      version,
      actorText: JSON.stringify(by.actor),
      causationId: by.commandId,
      correlationId: by.correlationId,
      threadId,
      epoch: this.epoch,
      recordedAt: Math.max(this.now * 1_000, (this.rows.at(-1)?.recordedAt ?? 0) + 1)
    }
    const salt = sha256(`salt ${seq}`).slice(0, 32)
    const commitment = Chain.commit(sha256, salt, payload)
    this.#chain = Chain.link(sha256, this.#chain, fields, commitment)
    this.rows.push({ ...fields, salt, commitment, chain: this.#chain, payload })
    this.events.push(event)
  }
}

/** The log of a session that was opened and took these commands. */
export const recorded = (...bodies: ReadonlyArray<SessionCommand>): Recording => new Recording().tell(open(), ...bodies)
