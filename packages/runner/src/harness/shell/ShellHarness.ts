import type { EventId, ModelRequestId } from "@troupe/domain/Ids"
import type { JsonObject } from "@troupe/domain/Json"
import { type Content, text } from "@troupe/domain/session/Content"
import type { Usage } from "@troupe/domain/session/Usage"
import { Effect, Result } from "effect"
import type { AttemptFrames, JournalFull } from "../../attempt/AttemptFrames.ts"
import type { ToolResult } from "../../tools/ToolCalls.ts"
import type { Harness, HarnessEnd, HarnessProbe, HarnessRun } from "../Harness.ts"
import { commandScript, type Said } from "./commandScript.ts"
import {
  answersOf,
  callName,
  type CommandOutcome,
  inputsOf,
  namesOf,
  outcomesOf,
  questionName,
  type Ran
} from "./progress.ts"
import { type ShellCommand, type ShellScript, shellScript } from "./ShellInput.ts"

export interface ShellHarnessOptions {
  /** Whether this runner can run commands at all, and why not. */
  readonly probe: Effect.Effect<HarnessProbe>
  readonly mintBlockId: Effect.Effect<EventId>
  readonly mintRequestId: Effect.Effect<ModelRequestId>
}

/** What became of a command. It has an exit code where it came to an end by itself. */
interface Reported {
  readonly command: ShellCommand
  readonly outcome: CommandOutcome | "skipped"
  readonly exitCode: number | null
}

type Stop = "requires_action" | "paused" | "budget"

/** Runs the commands of a turn one after the other, and asks no model anything. */
export const shellHarness = (options: ShellHarnessOptions): Harness => ({
  name: "shell",
  capabilities: ["tools", "suspension", "resumption", "interruption", "steering", "pausing", "budgets", "usage"],
  probe: options.probe,
  run: Effect.fn("ShellHarness.run")((run) => play(options, run))
})

const play = Effect.fnUntraced(function* (
  options: ShellHarnessOptions,
  { blob, frames, inbox, request, spending, tools }: HarnessRun
): Effect.fn.Return<HarnessEnd, JournalFull> {
  const { history, turnId } = request
  const ran: Map<string, Ran> = outcomesOf(history, turnId)
  const answers = answersOf(history, turnId)
  const waiting = [...inputsOf(history, turnId)]
  const reported: Array<Reported> = []

  /**
   * What a command will be told. People are asked before it begins: a question may wait for days and through restarts of
   * everything, which no process does.
   */
  const repliesTo = Effect.fnUntraced(function* (name: string, { replies = [] }: ShellCommand) {
    const said: Array<Said> = []
    let isAwaiting = false
    for (const [index, one] of replies.entries()) {
      if ("reply" in one) {
        said.push(one)
        continue
      }
      const question = questionName(name, index)
      const known = ran.get(question)
      const answer = answers.get(question)
      if (answer !== undefined) said.push({ prompt: one.prompt, reply: answer })
      else if (known !== undefined) return known
      else {
        const input = { question: one.ask, ...optionsOf(one.options) }
        const result = yield* tools.call({ requestId: null, providerCallId: question, name: "ask_user", input })
        if (result._tag === "Done") return ranOf(result)
        isAwaiting = true
      }
    }
    return isAwaiting ? ("requires_action" as const) : said
  })

  const runOne = Effect.fnUntraced(function* (name: string, command: ShellCommand) {
    const stop = (yield* inbox.stop) ?? (spending.isSpent ? "budget" : null)
    if (stop !== null) return stop
    const replies = yield* repliesTo(name, command)
    if (!isSaid(replies)) return replies
    const { timeoutMs } = command
    const result = yield* tools.call({
      requestId: null,
      providerCallId: name,
      name: "bash",
      input: { command: commandScript(command, replies), ...(timeoutMs === undefined ? {} : { timeout_ms: timeoutMs }) }
    })
    // Only once a command of the turn is on record: by that, a later attempt knows which messages are the turn's.
    waiting.push(...(yield* inbox.takeSteers))
    return result._tag === "Awaiting" ? ("requires_action" as const) : ranOf(result)
  })

  /** All commands of one message; why it stopped before the end, if it did. */
  const runAll = Effect.fnUntraced(function* (inputId: EventId, { commands, stopOnFailure }: ShellScript) {
    let hasFailed = false
    for (const [index, command] of commands.entries()) {
      const name = callName(turnId, inputId, index)
      const known = ran.get(name)
      if (known === undefined && hasFailed && stopOnFailure) {
        reported.push({ command, outcome: "skipped", exitCode: null })
        continue
      }
      const result: Ran | Stop = known ?? (yield* runOne(name, command))
      if (typeof result === "string") return result
      reported.push({ command, ...result })
      hasFailed ||= result.outcome !== "succeeded"
    }
    return null
  })

  if (!tools.catalog.some(({ name }) => name === "bash")) return failed("shell_no_bash", "This agent has no tool bash")
  const names = namesOf(history)
  for (const result of yield* tools.resume) {
    if (result._tag === "Awaiting") return { _tag: "Suspended", reason: "requires_action" }
    const name = names.get(result.callId)
    if (name !== undefined) ran.set(name, ranOf(result))
  }
  for (let input = waiting.shift(); input !== undefined; input = waiting.shift()) {
    const script = shellScript(yield* inFull(blob, input.content))
    if (Result.isFailure(script)) return failed("shell_input_invalid", script.failure)
    const stop = yield* runAll(input.inputId, script.success)
    if (stop !== null) return { _tag: "Suspended", reason: stop }
  }
  yield* report(options, frames, reported)
  return { _tag: "Completed", stop: "end_turn", details: detailsOf(reported) }
})

/** Long text is not in the log. What can't be had stays what it is, and is refused as no text. */
const inFull = (blob: HarnessRun["blob"], content: Content): Effect.Effect<Content> =>
  Effect.forEach(content, (block) =>
    block.type !== "blob" || !block.blob.mediaType.startsWith("text/")
      ? Effect.succeed(block)
      : Effect.map(blob(block.blob), (bytes) =>
          bytes === null ? block : ({ type: "text", text: Buffer.from(bytes).toString("utf8") } as const)
        )
  )

const isSaid = (replies: ReadonlyArray<Said> | Ran | Stop): replies is ReadonlyArray<Said> => Array.isArray(replies)

const optionsOf = (options: ReadonlyArray<string> | undefined): JsonObject =>
  options === undefined ? {} : { options: options.map((label) => ({ label })) }

const ranOf = ({ details, outcome }: Extract<ToolResult, { readonly _tag: "Done" }>): Ran => {
  const exitCode = details?.["exitCode"]
  return { outcome, exitCode: typeof exitCode === "number" ? exitCode : null }
}

/** What people read at the end: the answer of a model that asks nothing and costs nothing, on record as one. */
const report = Effect.fnUntraced(function* (
  { mintBlockId, mintRequestId }: ShellHarnessOptions,
  frames: AttemptFrames,
  reported: ReadonlyArray<Reported>
) {
  const requestId = yield* mintRequestId
  const blockId = yield* mintBlockId
  const model = { model: "shell", provider: "shell" }
  yield* frames.say({ _tag: "ModelRequestStarted", requestId, ...model, estimate: noUsage, request: null })
  const content = text(reported.map(lineOf).join("\n"))
  yield* frames.say({ _tag: "MessageBlock", blockId, requestId, content, partial: false })
  const ended = { outcome: "succeeded", usage: noUsage, durationMs: 0, response: null } as const
  yield* frames.say({ _tag: "ModelRequestEnded", requestId, ...ended })
})

const noUsage: Usage = {
  source: "measured",
  inputTokens: 0,
  outputTokens: 0,
  cacheReadTokens: 0,
  cacheWrite5mTokens: 0,
  cacheWrite1hTokens: 0,
  webSearches: 0,
  webFetches: 0,
  costMicroUsd: 0
}

const shownMax = 120

const shown = ({ run }: ShellCommand): string => {
  const line = run.trim().split("\n", 1)[0] ?? ""
  return line.length > shownMax || run.trim().includes("\n") ? `${line.slice(0, shownMax)} …` : line
}

const lineOf = ({ command, exitCode, outcome }: Reported): string =>
  `${exitCode === null ? outcome : `exit ${exitCode}`}: ${shown(command)}`

const detailsOf = (reported: ReadonlyArray<Reported>): JsonObject => ({
  commands: reported.map(({ command, exitCode, outcome }) => ({ run: shown(command), outcome, exitCode })),
  failed: reported.filter(({ outcome }) => outcome !== "succeeded").length
})

const failed = (code: string, message: string): HarnessEnd => ({
  _tag: "Failed",
  error: { code, message },
  retryable: false,
  retryAfterMs: null
})
