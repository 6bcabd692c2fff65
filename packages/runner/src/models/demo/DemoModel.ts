import { Effect, Stream } from "effect"
import { type MeasuredUsage, type ModelClient, ModelError, type ModelEvent, type ModelRequest } from "../ModelClient.ts"
import { type Instruction, linesLeft, type Task, taskOf } from "./instructions.ts"

const label = "This is the demo model: it follows simple instructions and needs no key."
const manual =
  "Tell it one thing to a line: `run: COMMAND`, `write file PATH TEXT`, `read file PATH`, `fetch URL`, `ask me QUESTION`, `call TOOL {JSON}`, `think: TEXT`, `say: TEXT`, `fail` or `refuse`. A line that begins with `&` is done together with the one before it."

/** About four characters to a token, as people estimate it. */
const tokensIn = (text: string): number => Math.ceil(text.length / 4)

const usageOf = (request: ModelRequest, output: string): MeasuredUsage => ({
  inputTokens: tokensIn(JSON.stringify([request.instructions, request.history, request.tools])),
  outputTokens: tokensIn(output),
  cacheReadTokens: 0,
  cacheWrite5mTokens: 0,
  cacheWrite1hTokens: 0,
  webSearches: 0,
  webFetches: 0
})

const echoMax = 2_000

const echoed = (message: string): string => {
  const said = message.trim()
  return said.length > echoMax ? `${said.slice(0, echoMax)} …` : said || "nothing"
}

const summary = ({ message, results }: Task): string => {
  if (results.length === 0) return `${label} You said: ${echoed(message)}\n\n${manual}`
  const lines = results.map(({ isError, text }, index) => {
    const shown = text.trim().split("\n").slice(0, 20).join("\n")
    return `${index + 1}. ${isError ? "It went wrong" : "Done"}:\n\n\`\`\`\n${shown}\n\`\`\``
  })
  return `${label}\n\n${lines.join("\n")}`
}

type Aside = Extract<Instruction, { readonly _tag: "Think" | "Say" }>
type Call = Extract<Instruction, { readonly _tag: "Tool" }>
type End = Extract<Instruction, { readonly _tag: "Fail" | "Refuse" }>

/** What is next: everything said or thought before the next calls, and those. */
interface Step {
  readonly before: ReadonlyArray<Aside>
  readonly calls: ReadonlyArray<Call>
  readonly end: End | null
}

const stepOf = ({ instructions, results }: Task): Step => {
  const before: Array<Aside> = []
  const calls: Array<Call> = []
  let done = 0
  for (const instruction of instructions) {
    const isNext = done >= results.length
    if (instruction._tag === "Tool") {
      if (isNext && calls.length > 0 && !instruction.together) break
      if (isNext) calls.push(instruction)
      else done++
    } else if (isNext && calls.length > 0) break
    else if (instruction._tag === "Fail" || instruction._tag === "Refuse") {
      if (isNext) return { before, calls, end: instruction }
    } else if (isNext) before.push(instruction)
  }
  return { before, calls, end: null }
}

const block = (kind: "text" | "thinking", index: number, text: string): ReadonlyArray<ModelEvent> => [
  { _tag: "Begun", index, kind },
  ...(text.match(/\S+\s*|\s+/g) ?? []).map((word) => ({ _tag: "Delta", index, text: word }) as const),
  kind === "text" ? { _tag: "Text", index, text } : { _tag: "Thinking", index, text, opaque: null }
]

const call = (request: ModelRequest, index: number, name: string, value: object): ReadonlyArray<ModelEvent> => {
  const input = JSON.stringify(value)
  // The same conversation gives the same id, so that a run can be repeated and compared.
  const providerCallId = `demo_${request.history.length}_${index}`
  return [
    { _tag: "Begun", index, kind: "tool_call" },
    { _tag: "Delta", index, text: input },
    { _tag: "ToolCall", index, providerCallId, name, input }
  ]
}

/** To call nothing is to sum up: what is left of the task is all that it has to remember. */
const summedUp = (request: ModelRequest, task: Task): ReadonlyArray<ModelEvent> => {
  const left = linesLeft(task)
  const said = left.length === 0 ? "Nothing is left to be done." : `Left to be done:\n${left.join("\n")}`
  return [...block("text", 0, said), { _tag: "Ended", stop: "end_turn", usage: usageOf(request, said) }]
}

const answer = (request: ModelRequest): ReadonlyArray<ModelEvent> | ModelError => {
  const task = taskOf(request.history)
  if (request.settings.toolChoice === "none") return summedUp(request, task)
  const { before, calls, end } = stepOf(task)
  if (end?._tag === "Fail") {
    const trouble = { _tag: "Broken", status: 500 } as const
    return new ModelError({ provider: "demo", model: "demo", trouble, detail: "it was told to fail" })
  }
  const said = before.flatMap(({ _tag, text }, index) => block(_tag === "Think" ? "thinking" : "text", index, text))
  const asked = calls.flatMap(({ input, name }, index) => call(request, before.length + index, name, input))
  const isDone = calls.length === 0 && end === null
  const events = [...said, ...asked, ...(isDone ? block("text", before.length, summary(task)) : [])]
  const stop = end !== null ? "refusal" : isDone ? "end_turn" : "tool_calls"
  const output = events.map((event) => (event._tag === "Delta" ? event.text : "")).join("")
  return [...events, { _tag: "Ended", stop, usage: usageOf(request, output) }]
}

/**
 * A model that needs no key and no network, and says of itself that it is none: it does what simple lines tell it, with
 * the real tools. The same conversation always gets the same answer.
 */
export const make = ({ paceMs = 0 }: { readonly paceMs?: number } = {}): ModelClient => ({
  provider: "demo",
  probe: Effect.succeed({ usable: true, notes: ["a stand-in for a model, for trying things out"], models: ["demo"] }),
  facts: () => ({ contextTokens: 200_000, outputTokens: 8_192 }),
  stream: (request) => {
    const events = answer(request)
    if (events instanceof ModelError) return Stream.fail(events)
    const pace = (event: ModelEvent) =>
      event._tag === "Delta" && paceMs > 0 ? Effect.as(Effect.sleep(paceMs), event) : Effect.succeed(event)
    return Stream.fromIterable(events).pipe(Stream.rechunk(1), Stream.mapEffect(pace))
  }
})
