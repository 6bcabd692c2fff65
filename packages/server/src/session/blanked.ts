import type { Stored } from "@troupe/domain/log/EventCodec"
import * as Codec from "@troupe/domain/session/Codec"
import * as Redaction from "@troupe/domain/session/Redaction"
import { Result } from "effect"

/** What stands in the place of an event's payload once its content is taken out. What can't be read goes as a whole. */
export const blanked = (stored: Stored): string => {
  const event = Codec.decodeFast(stored)
  return Result.isSuccess(event) ? Codec.encodeAs(Redaction.redact(event.success), stored.version).payload : "{}"
}
