import { layer as nodeServices } from "@effect/platform-node/NodeServices"
import { Cause, Console, Effect, Exit, Layer, Result } from "effect"
import { CliConfig, CliError, CliOutput, Command, GlobalFlag } from "effect/cli"
import { readFileSync } from "node:fs"
import { CompletionsFlag } from "./app/completions.ts"
import { exitCodes } from "./app/exitCodes.ts"
import { asksForJson, refusalJson, troubleText } from "./app/refusal.ts"
import { Trouble } from "./app/Trouble.ts"
import { Talking } from "./chat/Talking.ts"
import { troupe } from "./commands/troupe.ts"
import { say } from "./up/Talk.ts"

const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
  readonly version: string
}

const formatter = CliOutput.defaultFormatter({ colors: process.stdout.isTTY === true && process.stdout.hasColors() })

/** Help that was asked for is data. What is said of a command line that is wrong is not. */
const presenterFor = (isJson: boolean): CliOutput.Presenter => ({
  present: (event) => {
    if (event._tag === "Version") return Console.log(formatter.formatVersion(event.name, event.version))
    const help = formatter.formatHelpDoc(event.helpDoc)
    if (event._tag === "Help") return Console.log(help)
    const advice = `${event.commandPath.join(" ")} --help says how it is used.`
    const message = event.errors.map((error) => error.message).join("\n")
    return say(
      isJson
        ? refusalJson({ type: "usage_error", message, advice })
        : `${formatter.formatErrors(event.errors)}\n\n${advice}`
    )
  }
})

const layersFor = (isJson: boolean) =>
  Layer.mergeAll(
    nodeServices,
    CliOutput.layerPresenter(presenterFor(isJson)),
    CliConfig.layer({ builtIns: [GlobalFlag.Help, GlobalFlag.Version, CompletionsFlag] })
  )

const codeOf = (cause: Cause.Cause<unknown>, isJson: boolean): number => {
  if (Cause.hasInterruptsOnly(cause)) return exitCodes.interrupted
  const failure = Result.getOrNull(Cause.findError(cause))
  if (failure instanceof Trouble) {
    process.stderr.write(`${troubleText(failure, isJson)}\n`)
    return failure.code
  }
  if (CliError.isCliError(failure))
    return failure._tag === "ShowHelp" && failure.errors.length === 0 ? 0 : exitCodes.usage
  const defect = Cause.pretty(cause)
  const text = isJson ? refusalJson({ type: "internal_error", message: defect, advice: null }) : defect
  process.stderr.write(`${text}\n`)
  return exitCodes.failed
}

/** What the command line says is done. Answers the exit code. */
export const program = async (args: ReadonlyArray<string>, talking?: typeof Talking.Service): Promise<number> => {
  const isJson = asksForJson(args)
  const all = Effect.provide(Command.runWith(troupe, { version })(args), layersFor(isJson))
  const exit = await Effect.runPromiseExit(talking === undefined ? all : Effect.provideService(all, Talking, talking))
  return Exit.isSuccess(exit) ? Number(process.exitCode ?? 0) : codeOf(exit.cause, isJson)
}
