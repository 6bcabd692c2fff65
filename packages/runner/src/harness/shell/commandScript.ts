import { quoted } from "../../tools/shell/shellScript.ts"
import type { ShellCommand } from "./ShellInput.ts"

/** What is said to a program once it has said `prompt`. */
export interface Said {
  readonly prompt: string
  readonly reply: string
}

/** The command as the session's shell is given it. What it has for itself alone stays in a shell of its own. */
export const commandScript = ({ cwd, env = {}, run, stdin }: ShellCommand, replies: ReadonlyArray<Said>): string => {
  const own = [
    ...(cwd === undefined ? [] : [`cd -- ${quoted(cwd)} || exit`]),
    ...Object.entries(env).map(([name, value]) => `export ${name}=${quoted(value)}`)
  ]
  if (own.length === 0 && stdin === undefined && replies.length === 0) return run
  const inside = `(\n${[...own, run].join("\n")}\n)`
  if (replies.length > 0) return answered(inside, replies)
  return stdin === undefined ? inside : `builtin printf %s ${quoted(stdin)} | ${inside}`
}

/**
 * What the program says passes one who answers: each reply goes to its input, as a line, once its prompt has come out, in
 * their order. Prompts have no end of line, so it is read byte by byte until the last of them; then its input ends.
 */
const answered = (inside: string, replies: ReadonlyArray<Said>): string => `(
__troupe_asks=$(mktemp -d) && mkfifo -- "$__troupe_asks/in" || exit
${inside} < "$__troupe_asks/in" 2>&1 | (
  exec {in}> "$__troupe_asks/in"
  rm -rf -- "$__troupe_asks"
  trap '' PIPE
  LC_ALL=C
  reply_to() {
    local said="" byte
    until [[ $said == "$1" ]]; do
      IFS= read -r -N 1 byte || exit
      builtin printf %s "$byte"
      said+=$byte
      (( \${#said} <= \${#1} )) || said=\${said: -\${#1}}
    done
    builtin printf '%s\\n' "$2" >&"$in" 2> /dev/null
  }
  ${replies.map(({ prompt, reply }) => `reply_to ${quoted(prompt)} ${quoted(reply)}`).join("\n  ")}
  exec {in}>&-
  exec cat
)
exit "\${PIPESTATUS[0]}"
)`
