/** A text as one word of a shell. */
export const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`

/** Kept apart from the two that a command may redirect for good, so that its end can always be told. */
const marks = { stdout: 201, stderr: 202 }

export const shellCommand = ["bash", "--noprofile", "--norc"] as const

/** What the shell is told first. */
export const preparation = `exec ${marks.stdout}>&1 ${marks.stderr}>&2\n`

/**
 * One command, read by a shell that goes on afterwards: what it sets, defines and starts stays. It reads nothing, least
 * of all what is meant for the shell. The marks come after it, on both streams, and tell its exit code; that the shell may
 * be tracing or that output may be redirected does not touch them.
 */
export const scriptOf = (command: string, word: string): string =>
  [
    `eval ${quoted(command)} < /dev/null`,
    `{ builtin printf '\\0%s:%d\\0' ${word} "$?" >&${marks.stdout}; builtin printf '\\0%s:\\0' ${word} >&${marks.stderr}; } 2> /dev/null`,
    ""
  ].join("\n")
