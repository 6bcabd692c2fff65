import { Schema } from "effect"
import type { JsonObject } from "../Json.ts"
import type { Changes } from "./Changes.ts"
import type { Content } from "./Content.ts"
import type { Decision, Input, TurnOverrides } from "./Input.ts"
import { AgentSnapshot } from "./Opening.ts"
import { searchesIn } from "./Searches.ts"
import type { SessionCommand } from "./SessionCommand.ts"
import type { EventOf, SessionEvent, SessionEventTag } from "./SessionEvent.ts"
import type { ErrorInfo, StopReason } from "./Status.ts"

const gone = "[redacted]"
/** In the place of a hash of what is gone: the hash itself would let somebody try out what it was. */
const noHash = "0".repeat(64)

const word = () => gone
const words = (list: ReadonlyArray<string>) => list.map(word)
const maybeWord = <A extends string | null>(value: A): A | string => (value === null ? value : gone)
const hash = () => noHash
const nothing = () => null
const noObject = (): JsonObject => ({})
/** As many as there were: an opening with a history is another one than without. */
const noObjects = (list: ReadonlyArray<JsonObject>): ReadonlyArray<JsonObject> => list.map(noObject)
const maybeObject = (value: JsonObject | null): JsonObject | null => (value === null ? null : {})
const values = <A extends string | null>(record: Readonly<Record<string, A>>): Readonly<Record<string, A | string>> =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [key, maybeWord(value)]))
/** What was empty stays empty: rules look at that, and at nothing else. */
const content = (blocks: Content): Content => (blocks.length === 0 ? blocks : [{ type: "redacted" }])
const error = ({ code }: ErrorInfo): ErrorInfo => ({ code, message: gone })
const stop = <A extends StopReason | null>(reason: A): A =>
  reason?.type === "refusal" ? { ...reason, details: null } : reason
const threadName = (name: string) => (name === "primary" ? name : gone)

const overrides = (turn: TurnOverrides): TurnOverrides => ({
  ...turn,
  ...(turn.tools === undefined ? {} : { tools: [] }),
  ...(turn.resources === undefined ? {} : { resources: [] }),
  ...(turn.metadata === undefined ? {} : { metadata: values(turn.metadata) })
})

const decision = <A extends Decision | { readonly type: "expired" }>(given: A): A =>
  given.type === "allow_edited"
    ? { ...given, input: null, inputDigest: noHash }
    : given.type === "deny"
      ? { ...given, message: maybeWord(given.message) }
      : given

type Opened = EventOf<"SessionOpened">

const agent = (snapshot: Opened["agent"]): Opened["agent"] => ({
  ...snapshot,
  name: gone,
  description: maybeWord(snapshot.description),
  system: maybeWord(snapshot.system),
  tools: [],
  mcpServers: [],
  skills: [],
  policies: [],
  multiagent: null
})

const isAgent = Schema.is(AgentSnapshot)
/** An agent of a thread's own stays one: its digest is part of the state. */
const threadAgent = (value: JsonObject | null): object | null => (isAgent(value) ? agent(value) : maybeObject(value))

/** What a call searched is counted, and stays so. */
const sums = (details: JsonObject): JsonObject | null => {
  const webSearches = searchesIn("function", details)
  return webSearches === 0 ? null : { webSearches }
}

/** A policy that nobody can read is the strictest: what is redacted allows nothing. */
const policies = (list: ReadonlyArray<object>) => list.map(() => ({ type: "redacted" }))

const changes = (told: Changes): Changes => ({ ...told, paths: [] })

const environment = (snapshot: Opened["environment"]): Opened["environment"] =>
  snapshot === null ? null : { ...snapshot, name: gone, config: {} }

const resource = <A extends Opened["resources"][number]>(one: A): A => ({ ...one, spec: {} })

/** How each field that can hold content is blanked. Fields that are not named here hold none. */
type Blanks<Fields> = { readonly [Name in keyof Fields]?: (value: NonNullable<Fields[Name]> & Fields[Name]) => unknown }

const session: Blanks<Opened> = {
  title: maybeWord,
  agent,
  environment,
  resources: (list) => list.map(resource),
  metadata: values,
  labels: words
}

const events: { readonly [Tag in SessionEventTag]?: Blanks<EventOf<Tag>> } = {
  SessionOpened: session,
  HistoryCopied: { items: noObjects },
  SessionUpdated: { title: maybeWord, metadata: values, labels: words },
  AgentReconfigured: { changes: noObject },
  PoliciesChanged: { policies },
  ResourceAdded: { resource },
  ResourceRefreshed: { details: noObject },
  RedactionRequested: { reason: word },
  StatusChanged: {
    session: (status) => ({ ...status, stop: stop(status.stop) }),
    threads: (list) => list.map((one) => ({ ...one, name: threadName(one.name), stop: stop(one.stop) }))
  },
  ThreadOpened: { name: threadName, agent: threadAgent },
  ThreadMessaged: { content },
  TimerSet: { name: word, payload: nothing },
  MessageReceived: { content },
  SystemMessageQueued: { content },
  SystemMessageReceived: { content },
  TurnQueued: { overrides },
  TurnEdited: { content, overrides },
  MessageTaken: { content },
  TurnStarted: { overrides },
  TurnRescheduled: { error },
  RetryAsked: { error },
  TurnCompleted: { details: nothing },
  TurnFailed: { error },
  AttemptTroubled: { error },
  ModelRequestStarted: { request: nothing },
  ModelRequestEnded: { response: nothing },
  MessageBlock: { content },
  ThinkingBlock: { text: maybeWord, opaque: nothing },
  ToolRequested: {
    input: nothing,
    inputDigest: hash,
    question: maybeObject,
    verdict: (verdict) => ({ ...verdict, reason: maybeWord(verdict.reason) })
  },
  ToolFinished: { content, details: sums },
  SubagentStarted: { name: word, task: word },
  SubagentEnded: { summary: maybeWord },
  ContextCompacted: { summary: content },
  WorkingCopyCaptured: { changes },
  ToolConfirmed: { decision },
  ToolAnswered: { content },
  QuestionAnswered: { answer: nothing },
  OutcomeDefined: { description: word, rubric: nothing },
  OutcomeEvaluated: { explanation: word, details: noObject },
  GoalSet: { description: word, details: noObject },
  GoalProgressed: { details: noObject },
  GoalEnded: { result: word, details: noObject },
  NativeSessionBound: { details: noObject },
  PlanUpdated: { items: noObjects },
  ChangeSetCaptured: { details: noObject },
  ChangeSetCommented: { details: noObject },
  ChangeSetAccepted: { details: noObject },
  ChangeSetMerged: { details: noObject },
  ChangeSetPublished: { details: noObject },
  ChangeSetCleaned: { details: noObject },
  RepositoryCloned: { url: word, details: noObject },
  RepositoryFailed: { url: word, details: noObject },
  SecretUsed: { details: noObject },
  MemoryVersionWritten: { details: noObject },
  TerminalOpened: { details: noObject },
  TerminalClosed: { details: noObject },
  HumanExecuted: { command: word, details: noObject },
  DeliveryLinked: { details: noObject },
  PlatformNoted: { message: word, details: noObject }
}

const blank = <Value extends object>(value: Value, fields: Blanks<Value> | undefined): Value => {
  if (fields === undefined) return value
  const result = { ...value } as Record<string, unknown>
  for (const [name, change] of Object.entries<((field: never) => unknown) | undefined>(fields)) {
    const field = result[name]
    if (change !== undefined && field !== undefined && field !== null) result[name] = change(field as never)
  }
  return result as Value
}

/**
 * The event without its content: texts, inputs, results, titles, and hashes of them. Ids, names of tools, sums and times
 * stay, so that a fold over redacted events goes where it went before, with blanks in the places of the content.
 */
export const redact = (event: SessionEvent): SessionEvent => blank(event, events[event._tag] as Blanks<SessionEvent>)

const inputs: { readonly [Tag in Input["_tag"]]?: Blanks<Extract<Input, { readonly _tag: Tag }>> } = {
  Message: { content, overrides },
  SystemMessage: { content },
  Confirmation: { decision },
  ToolResult: { content },
  Answer: { answer: nothing },
  Outcome: { description: word, rubric: nothing }
}

const redactInputs = (list: ReadonlyArray<Input>): ReadonlyArray<Input> =>
  list.map((input) => blank(input, inputs[input._tag] as Blanks<Input>))

/** The command without its content, as it is kept once an event that it led to is redacted. */
export const redactCommand = (command: SessionCommand): SessionCommand => {
  switch (command._tag) {
    case "Open":
      return blank(command, { ...(session as Blanks<object>), policies, history: noObjects, inputs: redactInputs })
    case "ChangePolicies":
      return blank(command, { policies })
    case "Send":
      return { ...command, inputs: redactInputs(command.inputs) }
    case "EditTurn":
      return blank(command, { content, overrides })
    case "Update":
      return blank(command, { title: maybeWord, metadata: values, labels: words })
    case "Reconfigure":
      return blank(command, { changes: noObject })
    case "AddResource":
      return blank(command, { resource })
    case "RefreshResource":
      return blank(command, { details: noObject })
    case "MessageThread":
      return blank(command, { content })
    case "OpenThread":
      return blank(command, { name: threadName, agent: threadAgent })
    case "SetTimer":
      return blank(command, { name: word, payload: nothing })
    case "RequestRedaction":
    case "WidenRedaction":
      return blank(command, { reason: word })
    default:
      return command
  }
}
