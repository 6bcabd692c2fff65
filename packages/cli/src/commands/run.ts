import { Effect, Result } from "effect"
import { parseArgs } from "node:util"
import { Api, ApiRefused } from "../run/Api.ts"
import { follow, open } from "../run/oneShot.ts"
import { isIsolated, serverOf } from "../run/RunConfig.ts"
import { type Outcome, Transcript } from "../run/Transcript.ts"
import { config } from "../up/failures.ts"

const usage = `troupe run "…" [--model MODEL | --agent AGENT] [--yes] [--json]

  Has an agent do one thing, in a session of its own, and prints what it says.

  --model   the model, such as demo (unless told otherwise), claude-… or openai/…
  --agent   the id of an agent, used as it is
  --yes     tools may run without asking where nothing isolates them
  --json    prints one object at the end: session, outcome, text, error

  Exit codes: 0 done, 1 it failed, 2 the command line is wrong, 3 no server, 4 the server refuses it, 5 it waits for somebody,
  6 its budget is used up, 130 interrupted.
`

const codes: Readonly<Record<Outcome["_tag"], number>> = { Completed: 0, Failed: 1, Waits: 5, BudgetReached: 6 }
const interruptedCode = 130

const options = {
  model: { type: "string", default: "demo" },
  agent: { type: "string" },
  yes: { type: "boolean", default: false },
  json: { type: "boolean", default: false },
  help: { type: "boolean", short: "h", default: false }
} as const

const say = (text: string) => void process.stderr.write(`${text}\n`)

const shown = (input: unknown): string => {
  const { command } = (input ?? {}) as { readonly command?: unknown }
  return (typeof command === "string" ? command : JSON.stringify(input)).replaceAll(/\s+/g, " ").slice(0, 160)
}

const read = (args: ReadonlyArray<string>) => {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true })
  } catch (cause) {
    return (cause as Error).message
  }
}

/** The first Ctrl-C ends the turn, as anybody may; the second ends this command. */
const interruptible = (api: Api, session: string): (() => boolean) => {
  let isAsked = false
  process.on("SIGINT", () => {
    if (isAsked) process.exit(interruptedCode)
    isAsked = true
    say("Interrupting …")
    api.post(`/v1/sessions/${session}/events`, { events: [{ type: "user.interrupt" }] }).catch((cause: Error) => {
      say(cause.message)
      process.exit(interruptedCode)
    })
  })
  return () => isAsked
}

export const run = async (args: ReadonlyArray<string>): Promise<number> => {
  const parsed = read(args)
  if (typeof parsed === "string" || (!parsed.values.help && parsed.positionals.length !== 1)) {
    say(`${typeof parsed === "string" ? parsed : "Say in one argument what is to be done."}\n\n${usage}`)
    return 2
  }
  const { positionals, values } = parsed
  if (values.help) {
    process.stdout.write(usage)
    return 0
  }
  const given = await Effect.runPromise(Effect.result(config))
  if (Result.isFailure(given)) {
    say(given.failure.message)
    return 2
  }
  const server = serverOf(given.success)
  if (typeof server === "string") {
    say(server)
    return 3
  }
  const { agent = null, json, model, yes } = values
  const isTrusted = yes || isIsolated(given.success)
  const api = new Api(server)
  const transcript = new Transcript({
    text: (piece) => void (json || process.stdout.write(piece)),
    tool: (name, input) => say(`· ${name} ${shown(input)}`)
  })
  try {
    const session = await open(api, { prompt: positionals[0]!, agent, model, isTrusted })
    const wasInterrupted = interruptible(api, session)
    const outcome = await follow(api, session, positionals[0]!, transcript)
    if (transcript.error !== null) say(transcript.error)
    if (outcome._tag === "Waits") say(`Session ${session} waits for somebody to allow what it wants to do.`)
    const name = wasInterrupted() ? "Interrupted" : outcome._tag
    if (json) {
      const { error, text } = transcript
      process.stdout.write(`${JSON.stringify({ session, outcome: name.toLowerCase(), text, error })}\n`)
    }
    return wasInterrupted() ? interruptedCode : codes[outcome._tag]
  } catch (cause) {
    if (!(cause instanceof ApiRefused)) throw cause
    say(cause.message)
    return cause.status === 0 ? 3 : 4
  } finally {
    process.removeAllListeners("SIGINT")
  }
}
