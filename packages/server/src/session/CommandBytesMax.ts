import { Limits } from "@troupe/domain/Limits"
import { Context } from "effect"

/** Bytes that one command may have, after its large content was moved out of it. */
export const CommandBytesMax = Context.Reference<number>("server/CommandBytesMax", {
  defaultValue: () => Limits.commandBytesMax
})
