import {
  InsufficientScopeError,
  ProtocolError,
  SdkError,
  SdkErrorCode,
  SdkHttpError,
  SseError,
  UnauthorizedError
} from "@modelcontextprotocol/client"
import { Schema } from "effect"
import { lostAnswer } from "./answerBody.ts"
import { SandboxError } from "../sandbox/Sandbox.ts"
import { EgressRefused } from "@troupe/domain/network/Refusal"
import { Unreachable } from "../egress/Outbound.ts"

const detailMax = 1_200

/** An MCP server could not do what it was asked for, or could not be asked. Details quote the server, shortened. */
export class McpError extends Schema.TaggedError<McpError>()("McpError", {
  server: Schema.String,
  /**
   * `refused`: our rules forbid it. `unauthorized`: the server wants other credentials. `sandbox`: its process could not be
   * started. `session`: the server has forgotten us, and did nothing. `protocol`: it answered with an error, or with what
   * can't be understood.
   */
  reason: Schema.Literals([
    "refused",
    "unreachable",
    "unauthorized",
    "sandbox",
    "session",
    "timed_out",
    "closed",
    "protocol"
  ]),
  detail: Schema.String,
  /** Of the HTTP answer, where there was one. */
  status: Schema.NullOr(Schema.Int),
  /** Of a server that wants other credentials: what it says of them. */
  wants: Schema.optionalKey(Schema.Record(Schema.String, Schema.Json))
}) {
  override get message() {
    return `The MCP server ${this.server} failed (${this.reason}): ${this.detail}`
  }
}

/** The failure of a request to a server, in our words. `hint` is what its process had said by then. */
export const mcpError = (
  server: string,
  cause: unknown,
  { clean = (text: string) => text, hint = "" } = {}
): McpError => {
  const found = [...causes(cause)].map(meaning).find((each) => each !== undefined)
  const { detail, reason, status = null } = found ?? { reason: "protocol", detail: textOf(cause) }
  const said = hint === "" ? detail : `${detail} (it said: ${hint})`
  return new McpError({ server, reason, detail: clean(said).slice(0, detailMax).toWellFormed(), status })
}

interface Meaning {
  readonly reason: McpError["reason"]
  readonly detail: string
  readonly status?: number | null
}

const meaning = (cause: unknown): Meaning | undefined => {
  if (cause instanceof EgressRefused) return { reason: "refused", detail: cause.detail }
  if (cause instanceof Unreachable) {
    return { reason: cause.reason === "timeout" ? "timed_out" : "unreachable", detail: cause.message }
  }
  if (cause instanceof SandboxError) return { reason: "sandbox", detail: cause.message }
  if (cause instanceof UnauthorizedError || cause instanceof InsufficientScopeError) {
    return { reason: "unauthorized", detail: textOf(cause), status: cause instanceof UnauthorizedError ? 401 : 403 }
  }
  if (cause instanceof SdkHttpError) return ofStatus(cause.status, textOf(cause))
  if (cause instanceof SseError) return ofStatus(cause.code ?? null, textOf(cause))
  if (cause instanceof ProtocolError && isLost(cause.data)) return { reason: "closed", detail: cause.message }
  if (cause instanceof ProtocolError) return { reason: "protocol", detail: `${cause.message} (${cause.code})` }
  if (!(cause instanceof SdkError) || cause.code === SdkErrorCode.EraNegotiationFailed) return undefined
  if (cause.code === SdkErrorCode.RequestTimeout) return { reason: "timed_out", detail: cause.message }
  if (cause.code === SdkErrorCode.ConnectionClosed || cause.code === SdkErrorCode.NotConnected) {
    return { reason: "closed", detail: cause.message }
  }
  return { reason: "protocol", detail: cause.message }
}

const ofStatus = (status: number | null, detail: string): Meaning => {
  if (status === 401 || status === 403) return { reason: "unauthorized", detail, status }
  return { reason: status === null || status >= 500 ? "unreachable" : "protocol", detail, status }
}

const isLost = (data: unknown): boolean =>
  typeof data === "object" && data !== null && "connection" in data && data.connection === lostAnswer.connection

const textOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause))

/** The SDK wraps what went wrong below. */
const causes = function* (cause: unknown): Generator<unknown> {
  let next = cause
  for (let depth = 0; depth < 8 && next != null; depth++) {
    yield next
    next = next instanceof Error ? next.cause : undefined
  }
}
