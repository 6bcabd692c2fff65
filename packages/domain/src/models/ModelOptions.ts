import { Schema } from "effect"
import { JsonObject } from "../Json.ts"

/** How an agent's model is asked, beside its effort and its speed. A model that takes none of it is not sent it. */
export const ModelOptions = Schema.Struct({
  temperature: Schema.Number.check(Schema.isBetween({ minimum: 0, maximum: 2 })),
  maxTokens: Schema.Int.check(Schema.isGreaterThan(0)),
  /** How many requests a turn may make of models before it ends. */
  maxSteps: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 10_000 })),
  /** JSON Schema that each answer is to fit. */
  output: JsonObject
})
