import { parseArgs, type ParseArgsOptionsConfig } from "node:util"

const help = { help: { type: "boolean", short: "h", default: false } } as const

type Parsed<O extends ParseArgsOptionsConfig> = ReturnType<
  typeof parseArgs<{ args: Array<string>; options: O & typeof help }>
>["values"]

/** Reads the options of a command. Answers the exit code where the command line was wrong, or asked for help. */
export const parse = <const O extends ParseArgsOptionsConfig>(
  args: ReadonlyArray<string>,
  options: O,
  usage: string
): Parsed<O> | number => {
  try {
    const { values } = parseArgs({ args: [...args], options: { ...options, ...help } })
    if ((values as { readonly help?: boolean }).help !== true) return values as Parsed<O>
    process.stdout.write(usage)
    return 0
  } catch (cause) {
    process.stderr.write(`${(cause as Error).message}\n\n${usage}`)
    return 2
  }
}

export const json = { json: { type: "boolean", default: false } } as const
