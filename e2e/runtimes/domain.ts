// Prints the same under Node, Deno and Bun, or the domain has come to depend on one of them.
import { Effect, Schema } from "effect"

const Greeting = Schema.Struct({ to: Schema.String, times: Schema.Int })

const program = Effect.gen(function* () {
  const greeting = yield* Schema.decodeUnknownEffect(Greeting)({ to: "troupe", times: 2 })
  return JSON.stringify(greeting)
})

console.log(Effect.runSync(program))
