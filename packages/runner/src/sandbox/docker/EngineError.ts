import { Schema } from "effect"

const Reason = Schema.TaggedUnion({
  /** Nobody answers at the socket, or the connection broke. */
  Unreachable: { detail: Schema.String },
  /** The engine speaks no version of the API that we do. */
  Version: { oldest: Schema.String, newest: Schema.String },
  /** The engine says no: its status, and its words. */
  Refused: { status: Schema.Int, detail: Schema.String },
  /** An answer that is not what the API promises. */
  Unreadable: { detail: Schema.String }
})

export class EngineError extends Schema.TaggedError<EngineError>()("EngineError", {
  socket: Schema.String,
  request: Schema.String,
  reason: Reason,
  cause: Schema.optionalKey(Schema.Defect())
}) {
  override get message() {
    return Reason.match(this.reason, {
      Unreachable: ({ detail }) => `No Docker engine answers at ${this.socket}: ${detail}`,
      Version: ({ newest, oldest }) =>
        `The engine at ${this.socket} speaks versions ${oldest} to ${newest} of the API, none of which we know`,
      Refused: ({ detail, status }) => `${this.request}: ${status}: ${detail}`,
      Unreadable: ({ detail }) => `${this.request}: ${detail}`
    })
  }
}

export const isStatus =
  (...statuses: ReadonlyArray<number>) =>
  ({ reason }: EngineError): boolean =>
    reason._tag === "Refused" && statuses.includes(reason.status)
