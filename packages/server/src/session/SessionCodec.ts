import * as Codec from "@troupe/domain/session/Codec"
import { Context } from "effect"

/** How actors read and write events: as this release does. */
export const SessionCodec = Context.Reference<Codec.SessionCodec>("server/SessionCodec", {
  defaultValue: () => Codec.codec
})
