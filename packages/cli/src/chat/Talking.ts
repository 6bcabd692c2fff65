import { Context } from "effect"
import { interactive } from "./interactive.ts"
import type { TalkWanted } from "./TalkWanted.ts"

/** What holds a chat in a terminal: this process, unless another one waits to be told of it. */
export const Talking = Context.Reference<(wanted: TalkWanted) => Promise<number>>("cli/Talking", {
  defaultValue: () => interactive
})
