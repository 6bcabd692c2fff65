import { quoted } from "../../tools/shell/shellScript.ts"
import type { ShellCommand } from "./ShellInput.ts"

/** The command as the session's shell is given it. What it has for itself alone stays in a shell of its own. */
export const commandScript = ({ cwd, env = {}, run, stdin }: ShellCommand): string => {
  const own = [
    ...(cwd === undefined ? [] : [`cd -- ${quoted(cwd)} || exit`]),
    ...Object.entries(env).map(([name, value]) => `export ${name}=${quoted(value)}`)
  ]
  if (own.length === 0 && stdin === undefined) return run
  const inside = `(\n${[...own, run].join("\n")}\n)`
  return stdin === undefined ? inside : `builtin printf %s ${quoted(stdin)} | ${inside}`
}
