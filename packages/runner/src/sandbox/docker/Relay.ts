import { Effect, Stream } from "effect"
import type { SandboxError, SandboxSpec } from "../Sandbox.ts"
import { type ContainerOptions, relayContainer } from "./ContainerConfig.ts"
import { dockerError, fromEngine } from "./dockerError.ts"
import { attachContainer, createContainer, startContainer, stopContainer } from "./Engine.ts"
import type { EngineApi } from "./EngineApi.ts"
import type { EngineError } from "./EngineError.ts"
import { output } from "./EngineStream.ts"

const patience = "20 seconds"

/** Makes the container through which a sandbox reaches the egress proxy, and waits until it listens. */
export const makeRelay = Effect.fn("Relay.make")(function* (
  engine: EngineApi,
  spec: SandboxSpec,
  options: ContainerOptions & { readonly socket: string; readonly container: string }
): Effect.fn.Return<string, SandboxError> {
  const { Id } = yield* Effect.mapError(createContainer(engine, relayContainer(spec, options)), fromEngine)
  yield* listening(engine, Id, startContainer(engine, Id))
  return Id
})

/** To be done whenever the sandbox's container was started: its network is another one then. */
export const followNetwork = (engine: EngineApi, relay: string) =>
  Effect.andThen(
    Effect.mapError(stopContainer(engine, relay), fromEngine),
    listening(engine, relay, startContainer(engine, relay))
  )

const listening = (engine: EngineApi, relay: string, start: Effect.Effect<void, EngineError>) =>
  Effect.gen(function* () {
    const connection = yield* attachContainer(engine, relay)
    yield* start
    return yield* Stream.fromAsyncIterable(output(connection, false), () => undefined).pipe(
      Stream.map(({ bytes }) => Buffer.from(bytes).toString("latin1")),
      Stream.takeUntil((text) => text.includes("listening on")),
      Stream.runFold(
        () => "",
        (said, text) => said + text
      ),
      Effect.orElseSucceed(() => "")
    )
  }).pipe(
    Effect.scoped,
    Effect.mapError(fromEngine),
    Effect.timeoutOrElse({ duration: patience, orElse: () => Effect.succeed("nothing") }),
    Effect.flatMap((said) =>
      said.includes("listening on")
        ? Effect.void
        : Effect.fail(dockerError({ _tag: "Failed", detail: `the relay to the egress proxy said: ${said}` }))
    )
  )
