import type { LogEvent } from "@troupe/client"
import { goldenLog } from "./goldenLog.ts"

/** How often a turn goes round: a request to the model, what it says, two calls. */
const roundsPerTurn = 20

/** Two searches of the web are made in a round, which our own tool says of itself. */
const searching = (event: LogEvent): LogEvent =>
  event.type === "ToolFinished" && event.payload !== null
    ? { ...event, payload: { ...event.payload, executor: "function", details: { webSearches: 1 } } }
    : event

/** What happens in a session, turn after turn, without end. */
export function* longLog(): Generator<LogEvent> {
  const golden = goldenLog()
  const between = (from: number, to: number) => golden.slice(from - 1, to)
  let seq = 0
  const told = function* (events: ReadonlyArray<LogEvent>, turn: number, round: number): Generator<LogEvent> {
    for (const event of events) {
      seq++
      const text = JSON.stringify(event)
        .replaceAll(/"(turn|att)_(\w+)"/g, `"$1_$2x${turn}"`)
        .replaceAll(/"(sevt|mreq)_(\w+)"/g, `"$1_$2x${turn}x${round}"`)
      yield { ...(JSON.parse(text) as LogEvent), seq }
    }
  }
  yield* told(between(1, 1), 0, 0)
  for (let turn = 1; ; turn++) {
    yield* told(between(4, 9), turn, 0)
    for (let round = 1; round <= roundsPerTurn; round++) yield* told(between(12, 23).map(searching), turn, round)
    yield* told(between(25, 26), turn, 0)
  }
}
