import { canonical } from "@troupe/domain/CanonicalJson"
import type { EventId, SessionId } from "@troupe/domain/Ids"
import type { Json } from "@troupe/domain/Json"
import type { Decision, Input } from "@troupe/domain/session/Input"
import type { EventOf, SessionEvent } from "@troupe/domain/session/SessionEvent"
import { strict as assert } from "node:assert"
import { hash } from "node:crypto"
import type { OpenAiServer } from "../../support/OpenAiServer.ts"
import { type SessionOptions, type System, wordsOf } from "../../support/System.ts"
import { only } from "../waiting.ts"
import type { Telling } from "./Telling.ts"

export interface StoryWorld {
  readonly system: System
  readonly telling: Telling
  /** What the agents of the story run on, by themselves and for small tasks. */
  readonly model: string
  readonly auxModel: string
  /** It speaks as OpenAI's does. */
  readonly server: OpenAiServer
  /** Where the MCP server `everything` is. */
  readonly everything: string
  /** A node in the place of the one that there is, and the same runner again: both were killed. */
  readonly restart: () => Promise<void>
}

type Fresh = ReadonlyArray<SessionEvent>

/** Allows all that an MCP server offers. */
export const allowed = { permission_policy: { type: "always_allow" } } as const
export const longTalk = `say: ${"on and on ".repeat(60)}`
export const people = { type: "troupe_toolset", configs: [{ name: "ask_user" }] }

const endings = new Set<SessionEvent["_tag"]>(["TurnCompleted", "TurnFailed", "TurnInterrupted"])

/** One session after the other, told by its log as it is read. `fresh` is what came since it was looked at before. */
export class Story {
  readonly world: StoryWorld
  private session!: SessionId
  events: Fresh = []

  constructor(world: StoryWorld) {
    this.world = world
  }

  async begin(options: SessionOptions): Promise<void> {
    const { model, system } = this.world
    this.session = await system.open(this.node, { model, ...options })
    this.events = []
  }

  async chapter(title: string, tell: () => Promise<void>): Promise<void> {
    this.world.telling.chapter(title)
    await tell()
    this.isBilledOnce()
  }

  get node() {
    return this.world.system.nodes.at(-1)!
  }

  message: System["message"] = (words, more) => this.world.system.message(words, more)

  command(command: Parameters<System["send"]>[2]): Promise<void> {
    return this.world.system.send(this.node, this.session, command)
  }

  send(...inputs: ReadonlyArray<Input>): Promise<void> {
    return this.command({ _tag: "Send", inputs })
  }

  /** A message, and all that its turn was. */
  async turn(words: string, more: Parameters<System["message"]>[1] = {}): Promise<Fresh> {
    await this.send(this.message(words, more))
    return await this.ended()
  }

  async until(what: string, holds: (fresh: Fresh) => boolean): Promise<Fresh> {
    const seen = this.events.length
    this.events = await this.world.system.until(this.session, what, (all) => holds(all.slice(seen)))
    const fresh = this.events.slice(seen)
    for (const event of fresh) this.world.telling.event(event)
    return fresh
  }

  ended(turns = 1): Promise<Fresh> {
    return this.until(`${turns} turns end`, (fresh) => fresh.filter(({ _tag }) => endings.has(_tag)).length >= turns)
  }

  waits(): Promise<Fresh> {
    return this.until("somebody is waited for", (fresh) => only(fresh, "TurnSuspended").length > 0)
  }

  begins(): Promise<Fresh> {
    return this.until("the model is asked", (fresh) => only(fresh, "ModelRequestStarted").length > 0)
  }

  confirm(callId: EventId, decision: Decision): Promise<void> {
    return this.send({ _tag: "Confirmation", inputId: this.inputId(), callId, decision })
  }

  /** Allows the call with these arguments in the place of its own. */
  allowEdited(callId: EventId, input: Json): Promise<void> {
    return this.confirm(callId, { type: "allow_edited", input, inputDigest: hash("sha256", canonical(input), "hex") })
  }

  answer(callId: EventId, answer: Json): Promise<void> {
    return this.send({ _tag: "Answer", inputId: this.inputId(), callId, answer })
  }

  inputId(): EventId {
    return this.world.system.mint("Event") as EventId
  }

  /** Asks the API, as any client does. */
  api<A>(path: string, body?: object): Promise<A> {
    return this.node.api(path, body)
  }

  private isBilledOnce(): void {
    const [started, over] = [only(this.events, "ModelRequestStarted"), only(this.events, "ModelRequestEnded")]
    assert.equal(new Set(over.map(({ requestId }) => requestId)).size, started.length)
    assert.equal(over.length, started.length)
  }
}

export const callOf = (fresh: Fresh): EventOf<"ToolRequested"> => only(fresh, "ToolRequested").at(-1)!
export const said = (fresh: Fresh): string => wordsOf(only(fresh, "MessageBlock"))
export const results = (fresh: Fresh): string => wordsOf(only(fresh, "ToolFinished"))
export const outcomes = (fresh: Fresh) => only(fresh, "ToolFinished").map(({ outcome }) => outcome)
