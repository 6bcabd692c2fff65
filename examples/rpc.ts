// The same over RPC, for services inside the network: one WebSocket for everything, each call under one key.
import { Troupe } from "@troupe/client"
import { TroupeRpc } from "@troupe/client/rpc"
import { Console, Effect, Redacted, Stream } from "effect"

const [baseURL, apiKey] = [process.env.TROUPE_SERVER_URL, process.env.TROUPE_API_KEY]
const tools = [{ type: "agent_toolset_20260401" }]
const agent = await new Troupe({ baseURL, apiKey }).agents.create({ name: "helper", model: "demo", tools })

const program = Effect.gen(function* () {
  const rpc = yield* TroupeRpc
  const { id } = yield* rpc.create({ agent: agent.id })
  yield* rpc.send(id, [{ type: "user.message", content: [{ type: "text", text: "run: echo $((40 + 2))" }] }])
  const said = rpc.followLog(id, { types: ["MessageBlock", "TurnCompleted"] })
  yield* Stream.runForEach(
    Stream.takeUntil(said, ({ type }) => type === "TurnCompleted"),
    (event) => Console.log(JSON.stringify(event.payload))
  )
})
await Effect.runPromise(Effect.provide(program, TroupeRpc.layer({ baseURL, apiKey: Redacted.make(apiKey ?? "") })))
