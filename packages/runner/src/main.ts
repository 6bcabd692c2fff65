// First, so that every schema that is made later is compiled.
import "effect/schema/SchemaJITCompiler/enable"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Tracing from "@troupe/domain/telemetry/Tracing"
import { Cause, Console, Deferred, Effect, Exit, Layer, Option, References } from "effect"
import { isCliError } from "effect/cli/CliError"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import { TracingContent } from "./attempt/AttemptEngine.ts"
import * as AbilitiesFile from "./link/AbilitiesFile.ts"
import * as parts from "./parts.ts"
import * as Runner from "./Runner.ts"
import { load, type RunnerConfig, RunnerConfigInvalid, type RunnerFlags } from "./RunnerConfig.ts"

/** What the exit code says. */
const exitCodes = {
  failed: 1,
  usage: 2,
  RunnerConfigInvalid: 2,
  StateLocked: 3,
  StateUnusable: 3,
  NotRegistered: 4,
  CredentialRefused: 5,
  JournalUnusable: 6
} as const

const levels = { trace: "Trace", debug: "Debug", info: "Info", warn: "Warn", error: "Error" } as const

const optional = <A>(flag: Flag.Flag<A>) => flag.pipe(Flag.optional, Flag.map(Option.getOrNull))

const flags = {
  servers: Flag.String("server").pipe(
    Flag.withDescription("Address of a node, such as https://troupe.example; several are tried in turn"),
    Flag.atLeast(0)
  ),
  tokenFile: optional(
    Flag.String("token-file").pipe(Flag.withDescription("File with a registration token, for its owner's eyes (0600)"))
  ),
  token: optional(
    Flag.String("token").pipe(Flag.withDescription("Not taken: every process of a host reads command lines"))
  ),
  tokenFd: optional(
    Flag.Int("token-fd").pipe(Flag.withDescription("Descriptor of an inherited pipe with a registration token"))
  ),
  secretsFd: optional(
    Flag.Int("secrets-fd").pipe(
      Flag.withDescription("Descriptor of an inherited pipe with variables, such as keys of models, as one JSON object")
    )
  ),
  name: optional(Flag.String("name").pipe(Flag.withDescription("How people know this runner"))),
  labels: Flag.String("label").pipe(
    Flag.withDescription("Sessions that ask for this label may be placed here; may be repeated"),
    Flag.atLeast(0)
  ),
  capacity: optional(Flag.Int("capacity").pipe(Flag.withDescription("Attempts that may work at the same time"))),
  sandbox: optional(
    Flag.String("sandbox").pipe(Flag.withDescription("Sandbox backend for environments that name none"))
  ),
  roots: Flag.String("root").pipe(
    Flag.withDescription("Directory of this host that people may choose from; may be repeated"),
    Flag.atLeast(0)
  ),
  state: optional(Flag.String("state").pipe(Flag.withDescription("Directory of this runner's identity and journal")))
}

/**
 * The first signal asks for an orderly end, the second one ends at once. We listen until all is closed: a library that
 * finds itself alone with a signal may end the process on its own.
 */
const stopSignal = Effect.gen(function* () {
  const asked = yield* Deferred.make<void>()
  const onSignal = () => {
    if (!Deferred.doneUnsafe(asked, Effect.void)) process.exit(exitCodes.failed)
  }
  yield* Effect.acquireRelease(
    Effect.sync(() => process.on("SIGTERM", onSignal).on("SIGINT", onSignal)),
    () => Effect.sync(() => process.off("SIGTERM", onSignal).off("SIGINT", onSignal))
  )
  return Deferred.await(asked)
})

const tracing = (config: RunnerConfig) =>
  Tracing.layer({ config: config.tracing, serviceName: "troupe-runner", serviceVersion: Runner.release }).pipe(
    Layer.provide(FetchHttpClient.layer)
  )

const start = Effect.fnUntraced(function* ({ token, ...given }: RunnerFlags & { readonly token: string | null }) {
  if (token !== null) {
    const detail =
      "every process of this host can read a command line. Give it with --token-file or --token-fd, or in TROUPE_RUNNER_TOKEN, and make a new token"
    return yield* new RunnerConfigInvalid({ what: "--token", detail })
  }
  const config = yield* load(given)
  const services = Runner.layer(config).pipe(
    Layer.provideMerge(AbilitiesFile.layer(config.state)),
    Layer.provideMerge(parts.layer(config)),
    Layer.provideMerge(Runner.foundation(config)),
    Layer.provideMerge([
      tracing(config),
      Layer.succeed(TracingContent, { hasContent: config.tracing?.hasContent ?? false })
    ]),
    Layer.provide(FetchHttpClient.layer)
  )
  const stopRequested = yield* stopSignal
  const work = Effect.raceFirst(Runner.run(config), Effect.andThen(stopRequested, Runner.windDown(config)))
  yield* work.pipe(Effect.provide(services), Effect.provideService(References.MinimumLogLevel, levels[config.log]))
}, Effect.scoped)

const command = Command.make("troupe-runner", flags, start).pipe(
  Command.withDescription("Runs sessions' attempts on this host, for the nodes of a server")
)

const exit = await Effect.runPromiseExit(
  Command.run(command, { version: Runner.release }).pipe(
    // What is wrong with the command line was said already.
    Effect.tapError((error) => (isCliError(error) ? Effect.void : Console.error(error.message))),
    Effect.provide(NodeServices.layer)
  )
)

const codeOf = (cause: Cause.Cause<{ readonly _tag: string }>): number => {
  const error = Option.getOrUndefined(Cause.findErrorOption(cause))
  if (error === undefined) console.error(Cause.pretty(cause))
  if (isCliError(error)) return exitCodes.usage
  return error !== undefined && error._tag in exitCodes
    ? exitCodes[error._tag as keyof typeof exitCodes]
    : exitCodes.failed
}

process.exit(Exit.isSuccess(exit) ? 0 : codeOf(exit.cause))
