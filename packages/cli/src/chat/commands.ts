import { ourName } from "../app/NameConfig.ts"
/** What can be typed with a slash. */
export const commands = [
  { name: "help", takes: "", about: "shows this" },
  { name: "steer", takes: "TEXT", about: "has TEXT join the turn that runs, instead of waiting for the next one" },
  { name: "fork", takes: "[SEQ]", about: "goes on in a session that begins as this one is, or was after event SEQ" },
  { name: "changes", takes: "", about: "shows what the session changed of its files" },
  { name: "model", takes: "[MODEL]", about: "uses MODEL from the next message on, or says which one is used" },
  { name: "quit", takes: "", about: `leaves; the session goes on, and ${ourName} attach comes back to it` }
] as const

/** Those that what is typed may become. */
export const commandsFor = (text: string): ReadonlyArray<(typeof commands)[number]> =>
  /^\/\w*$/.test(text) ? commands.filter(({ name }) => name.startsWith(text.slice(1))) : []

export type CommandName = (typeof commands)[number]["name"]

export interface Given {
  readonly name: CommandName
  readonly rest: string
}

/** What was meant, or in words why nothing was. */
export const readCommand = (text: string): Given | string => {
  const [, word = "", rest = ""] = /^\/(\S*)\s*([\s\S]*)$/.exec(text) ?? []
  const found = commands.filter(({ name }) => name === word || (word !== "" && name.startsWith(word)))
  if (found.length !== 1) return `There is no /${word}. /help shows what there is.`
  const { name } = found[0]!
  if (name === "steer" && rest.trim() === "") return "Say what: /steer TEXT"
  if (name === "fork" && !/^\d*$/.test(rest.trim())) return "A place in the log is a number: /fork 12"
  return { name, rest: rest.trim() }
}

const keys = [
  ["Enter", "sends; while work goes on, it waits for its turn"],
  ["Alt-Enter", "begins a line, as Ctrl-J does"],
  ["Esc", "interrupts"],
  ["Up, Down", "what was said before; Up takes back what waits, to be changed"],
  ["Ctrl-O", "shows all of what was shown in short: the last first, then the one before"],
  ["@PATH", "attaches a picture, a PDF or a text of this host"],
  ["Tab", "writes the name of a command to its end, or the path behind an @"],
  ["Ctrl-C", "clears the line, interrupts, or when pressed twice leaves"],
  ["Ctrl-Z", "goes back to the shell; fg comes back"],
  ["Ctrl-D", "leaves"]
] as const

export const help = (): ReadonlyArray<string> => {
  const rows = [...commands.map(({ about, name, takes }) => [`/${name} ${takes}`.trim(), about] as const), ...keys]
  return rows.map(([what, about]) => `  ${what.padEnd(16)}${about}`)
}
