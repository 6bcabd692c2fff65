import { Trouble } from "../app/Trouble.ts"
import { failureOf } from "./failure.ts"
import type { Located } from "./reach.ts"

/** What a failure of the client is to whoever typed the command. Anything else is a defect. */
export const troubleOf = (error: unknown, server: Located): Trouble =>
  error instanceof Trouble ? error : new Trouble(failureOf(error, server))
