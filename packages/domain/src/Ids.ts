import { Schema } from "effect"

/**
 * Ids are opaque to everyone but this file: a prefix that names the kind, the format's number `01`, and a UUID in
 * base 58 of fixed width. The alphabet is in ASCII order, so ids made later sort later, and the database keeps them as
 * 16 bytes.
 */
const alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
const pairs = [...alphabet].flatMap((high) => [...alphabet].map((low) => high + low))
const valueOf = new Map([...alphabet].map((character, value) => [character.charCodeAt(0), value]))
const values = Uint8Array.from({ length: 128 }, (_, code) => valueOf.get(code) ?? 255)
const digits = 22
const two32 = 4_294_967_296

/** The bytes of a UUID as four unsigned 32-bit words, most significant first. */
export type Words = readonly [number, number, number, number]

/**
 * Two digits at a time, most significant last: 58² leaves room for a 32-bit word in a double's 53 bits. Quotients are
 * exact, and a division and a product cost a quarter of a remainder.
 */
const encode = (a: number, b: number, c: number, d: number): string => {
  const base = 3_364
  let text = ""
  for (let left = digits; left > 0; left -= 2) {
    let rest = a
    a = Math.floor(rest / base)
    rest = (rest - a * base) * two32 + b
    b = Math.floor(rest / base)
    rest = (rest - b * base) * two32 + c
    c = Math.floor(rest / base)
    rest = (rest - c * base) * two32 + d
    d = Math.floor(rest / base)
    text = pairs[rest - d * base]! + text
  }
  return text
}

const decode = (text: string): Words | undefined => {
  if (text.length !== digits) return undefined
  let [a, b, c, d] = [0, 0, 0, 0]
  for (let i = 0; i < digits; i += 2) {
    const high = values[text.charCodeAt(i)] ?? 255
    const low = values[text.charCodeAt(i + 1)] ?? 255
    if (high === 255 || low === 255) return undefined
    d = d * 3_364 + high * 58 + low
    let carry = Math.floor(d / two32)
    d -= carry * two32
    c = c * 3_364 + carry
    carry = Math.floor(c / two32)
    c -= carry * two32
    b = b * 3_364 + carry
    carry = Math.floor(b / two32)
    b -= carry * two32
    a = a * 3_364 + carry
    if (a >= two32) return undefined
  }
  return [a, b, c, d]
}

/** The id of `prefix` for the words of a UUID. */
export const fromWords = (prefix: string, a: number, b: number, c: number, d: number): string =>
  `${prefix}_01${encode(a, b, c, d)}`

/** The words of the UUID inside an id, or undefined where the text is no id of ours. */
export const toWords = (id: string): Words | undefined => {
  const at = id.lastIndexOf("_")
  if (at < 1 || id[at + 1] !== "0" || id[at + 2] !== "1") return undefined
  return decode(id.slice(at + 3))
}

const hex = (word: number): string => word.toString(16).padStart(8, "0")

/** The id of `prefix` for a UUID in its usual text form. */
export const fromUuid = (prefix: string, uuid: string): string => {
  const flat = uuid.replaceAll("-", "")
  const word = (at: number) => Number.parseInt(flat.slice(at, at + 8), 16)
  return fromWords(prefix, word(0), word(8), word(16), word(24))
}

/** The UUID inside an id, or undefined where the text is no id of ours. */
export const toUuid = (id: string): string | undefined => {
  const words = toWords(id)
  if (words === undefined) return undefined
  const flat = words.map(hex).join("")
  return `${flat.slice(0, 8)}-${flat.slice(8, 12)}-${flat.slice(12, 16)}-${flat.slice(16, 20)}-${flat.slice(20)}`
}

/** The id of `prefix` for a version 7 UUID made from a time in milliseconds and ten random bytes. */
export const fromTime = (prefix: string, timeMs: number, random: Uint8Array): string => {
  const time = Math.floor(timeMs)
  const byte = (i: number) => random[i]!
  const version = 0x7000 | ((byte(0) & 0x0f) << 8) | byte(1)
  const variant = 0x80 | (byte(2) & 0x3f)
  return fromWords(
    prefix,
    Math.floor(time / 0x1_0000) % two32,
    (time % 0x1_0000) * 0x1_0000 + version,
    ((variant << 24) | (byte(3) << 16) | (byte(4) << 8) | byte(5)) >>> 0,
    ((byte(6) << 24) | (byte(7) << 16) | (byte(8) << 8) | byte(9)) >>> 0
  )
}

/** The public prefix of each kind of id. */
export const prefixes = {
  Workspace: "wrkspc",
  Project: "proj",
  Agent: "agent",
  Environment: "env",
  Session: "sesn",
  Event: "sevt",
  Thread: "sthr",
  Turn: "turn",
  Attempt: "att",
  Command: "cmd",
  Resource: "sesrsc",
  Outcome: "outc",
  Runner: "rnr",
  Sandbox: "sbx",
  ModelRequest: "mreq",
  Timer: "tmr",
  File: "file",
  Vault: "vlt",
  Deployment: "depl",
  Member: "user",
  ApiKey: "apikey",
  Token: "tok",
  Schedule: "sched",
  ModelCard: "mcard",
  McpServer: "mcpsrv",
  Work: "work"
} as const

export type IdKind = keyof typeof prefixes

const id = <const Kind extends IdKind>(kind: Kind) => {
  const prefix = prefixes[kind]
  const start = `${prefix}_01`
  return Schema.String.check(
    Schema.makeFilter((text: string) => text.startsWith(start) && decode(text.slice(start.length)) !== undefined, {
      expected: `an id that starts with ${prefix}_`,
      // Generated ones come from a pool of three, so that they collide.
      arbitraryConstraint: { patterns: [{ source: `^${prefix}_01${"1".repeat(21)}[2-4]$`, flags: "" }] }
    })
  ).pipe(Schema.brand<`${Kind}Id`>(`${kind}Id` as never))
}

export const WorkspaceId = id("Workspace")
export type WorkspaceId = typeof WorkspaceId.Type
export const ProjectId = id("Project")
export type ProjectId = typeof ProjectId.Type
export const AgentId = id("Agent")
export type AgentId = typeof AgentId.Type
export const EnvironmentId = id("Environment")
export type EnvironmentId = typeof EnvironmentId.Type
export const SessionId = id("Session")
export type SessionId = typeof SessionId.Type
/** The public id of an event, an input or a block: what `tool_use_id` and `stop_reason.event_ids` carry. */
export const EventId = id("Event")
export type EventId = typeof EventId.Type
export const ThreadId = id("Thread")
export type ThreadId = typeof ThreadId.Type
export const TurnId = id("Turn")
export type TurnId = typeof TurnId.Type
export const AttemptId = id("Attempt")
export type AttemptId = typeof AttemptId.Type
export const CommandId = id("Command")
export type CommandId = typeof CommandId.Type
export const ResourceId = id("Resource")
export type ResourceId = typeof ResourceId.Type
export const OutcomeId = id("Outcome")
export type OutcomeId = typeof OutcomeId.Type
export const RunnerId = id("Runner")
export type RunnerId = typeof RunnerId.Type
export const SandboxId = id("Sandbox")
export type SandboxId = typeof SandboxId.Type
export const ModelRequestId = id("ModelRequest")
export type ModelRequestId = typeof ModelRequestId.Type
export const TimerId = id("Timer")
export type TimerId = typeof TimerId.Type
export const VaultId = id("Vault")
export type VaultId = typeof VaultId.Type
export const DeploymentId = id("Deployment")
export type DeploymentId = typeof DeploymentId.Type
export const FileId = id("File")
export type FileId = typeof FileId.Type
export const TokenId = id("Token")
export type TokenId = typeof TokenId.Type
export const ModelCardId = id("ModelCard")
export type ModelCardId = typeof ModelCardId.Type
export const McpServerId = id("McpServer")
export type McpServerId = typeof McpServerId.Type
export const WorkId = id("Work")
export type WorkId = typeof WorkId.Type
