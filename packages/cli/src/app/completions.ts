import { Console, Effect, Option } from "effect"
import { Command, Completions, GlobalFlag } from "effect/cli"
import { ContextName, Json } from "./globals.ts"

type Descriptor = Completions.CommandDescriptor

/** What every command takes beside its own flags, as a shell is told of it. */
const shared = Completions.fromCommand(Command.make("any", { json: Json.flag, context: ContextName.flag })).flags

const withShared = (command: Descriptor): Descriptor => ({
  ...command,
  flags: [...command.flags, ...shared.filter(({ name }) => command.flags.every((flag) => flag.name !== name))],
  subcommands: command.subcommands.map(withShared)
})

/** `--completions`, with the flags in it that hold for all commands: effect's own leaves these out. */
export const CompletionsFlag = GlobalFlag.Action({
  flag: GlobalFlag.Completions.flag,
  run: Effect.fnUntraced(function* (shell, { command }) {
    if (Option.isNone(shell)) return
    const all = withShared(Completions.fromCommand(command))
    yield* Console.log(Completions.generate(command.name, shell.value, all))
  })
})
