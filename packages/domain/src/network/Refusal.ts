import { Schema } from "effect"

/** Why an outbound request was not made. The codes are what programs, logs and counters see. */
export const RefusalCode = Schema.Literals([
  "network_off",
  "host_invalid",
  "host_not_allowed",
  "port_not_allowed",
  "mail_not_allowed",
  "address_not_public",
  "own_service",
  "too_many_connections",
  "request_invalid"
])
export type RefusalCode = typeof RefusalCode.Type

/** We do not connect there. `detail` is a sentence for whoever asked. */
export class EgressRefused extends Schema.TaggedError<EgressRefused>()("EgressRefused", {
  code: RefusalCode,
  host: Schema.String,
  port: Schema.Int,
  detail: Schema.String
}) {
  override get message() {
    return `Connecting to ${this.host}:${this.port} is refused (${this.code}): ${this.detail}`
  }
}
