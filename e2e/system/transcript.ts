/** Kills a node in the middle of `sleep 5; echo done`, and prints what happened: `node e2e/system/transcript.ts`. */
import type { SessionEvent } from "@troupe/domain/session/SessionEvent"
import { Trial } from "./Trial.ts"

const begun = Date.now()
const line = (at: number, who: string, what: string) =>
  console.log(`${((at - begun) / 1_000).toFixed(2).padStart(6)} s  ${who.padEnd(8)}${what}`)

const textOf = (event: SessionEvent): string =>
  "content" in event && Array.isArray(event.content)
    ? event.content.flatMap((block) => (block.type === "text" ? block.text.trim().split("\n") : [])).join(" ⏎ ")
    : ""

/** What an event says of itself, in a line; nothing for what only keeps the books. */
const said = (event: SessionEvent): string | null => {
  switch (event._tag) {
    case "MessageTaken":
      return `message: ${textOf(event)}`
    case "AttemptStarted":
      return `attempt ${event.number} starts: ${event.attemptId}`
    case "SandboxCreated":
      return `sandbox ${event.sandboxId} (${event.backend})`
    case "ToolRequested":
      return `asked for ${event.name}, ${event.verdict.permission}: ${JSON.stringify(event.input)}`
    case "ToolStarted":
      return `call ${event.callId} starts`
    case "ToolFinished":
      return `call ${event.callId} ${event.outcome}: ${textOf(event)}`
    case "MessageBlock":
      return `assistant: ${textOf(event)}`
    case "WorkingCopyCaptured":
    case "TurnCompleted":
    case "AttemptLost":
    case "TurnRescheduled":
      return event._tag
    default:
      return null
  }
}

const problems = await Trial.run({}, async (trial) => {
  const runner = await trial.runner()
  const session = await trial.open()
  const { line: command, token } = trial.effect("once", "sleep 5; echo done")
  await trial.say(session, command)
  await trial.happened(token)
  const [first] = trial.nodes()
  const killedAt = Date.now()
  await trial.killNode(first!)
  const second = await trial.node()
  const upAt = Date.now()
  await trial.ended(session)
  const stored = await trial.stored(session)
  const marks = [
    { at: killedAt, who: "test", what: `kill -9 ${first!.pid}: the only node is dead` },
    { at: upAt, who: "test", what: `node ${second.pid} is up` },
    ...trial.sink.effects.map(({ at, token: seen }) => ({ at, who: "outside", what: `${seen} happened` })),
    ...stored.flatMap(({ at, epoch, event, seq }) => {
      const what = said(event)
      return what === null ? [] : [{ at, who: `#${seq} e${epoch}`, what }]
    })
  ]
  for (const { at, what, who } of marks.toSorted((a, b) => a.at - b.at)) line(at, who, what)
  console.log(
    `\nThe runner, process ${runner.pid}, was there all the time. The command ran ${trial.sink.count(token)} time.`
  )
})

console.log(problems.length === 0 ? "No promise was broken." : problems.join("\n"))
process.exit(problems.length === 0 ? 0 : 1)
