import { type LogEvent, type SessionHandle, Troupe } from "@troupe/client"
import { rmSync } from "node:fs"
import { agentFor } from "../session/agents.ts"
import { Stage } from "./Stage.ts"
import * as World from "./World.ts"
import { ourName } from "../app/NameConfig.ts"

const command = "echo mark >> marks; sleep 5; echo marks: $(wc -l < marks)"

const has = async (session: SessionHandle, wanted: (event: LogEvent) => boolean): Promise<LogEvent> => {
  for await (const event of session.followLog()) if (wanted(event)) return event
  throw new Error("The session's log ended.")
}

/** Allows what has to be allowed where nothing isolates tools: the command is ours, and harmless. */
const allowing = (troupe: Troupe, session: SessionHandle, signal: AbortSignal): Promise<void> =>
  (async () => {
    for await (const event of session.followLog({ signal })) {
      if (event.type !== "ToolRequested" || event.payload?.awaits !== "confirmation") continue
      await troupe.sessions.approvals.answer(session.id, event.payload.callId, { result: "allow" })
    }
  })().catch(() => undefined)

const story = async (stage: Stage, world: World.World): Promise<boolean> => {
  const troupe = new Troupe({ baseURL: world.url, apiKey: world.key, maxRetries: 12 })
  await stage.says("A session begins. Its agent is told to run a command that takes five seconds.")
  const agent = await agentFor(troupe, { agent: null, harness: null, model: "demo", isTrusted: true })
  const session = await troupe.open({ agent: agent as never, title: "The demo" })
  const ended = new AbortController()
  const allowed = allowing(troupe, session, ended.signal)
  stage.shows(`run: ${command}`)
  await session.send(`run: ${command}`)
  const begun = await has(session, ({ type }) => type === "ToolStarted")
  stage.shows(`event ${begun.seq}, ToolStarted: it is in the log that the command has begun`)

  const before = World.nodeOf(world.home)
  await stage.says(`The server is killed in the middle: kill -9 ${before}.`)
  process.kill(before, "SIGKILL")
  const after = await World.nodeAfter(world.home, before)
  stage.shows(`another one runs, process ${after}; the runner never stopped, and nobody called the session`)

  await stage.says("The session goes on by itself, and comes to its end.")
  await has(session, ({ type }) => type === "TurnCompleted" || type === "TurnFailed")
  ended.abort()
  await allowed
  const output = await session.output()
  const marks = /marks: (\d+)/.exec(output)?.[1]
  let started = 0
  for await (const _ of session.log({ "types[]": ["ToolStarted"] })) started++
  stage.shows(`marks: ${marks ?? "none"}; started ${started} time${started === 1 ? "" : "s"}`)

  await stage.says("The log is checked: every event is in a chain, and every command is decided again.")
  const { chain, decisions, ok } = await troupe.sessions.replay.verify(session.id, { level: "1" })
  stage.shows(`${chain.checked} events whole, ${decisions?.accepted ?? 0} commands decided the same`)
  return ok && marks === "1" && started === 1
}

/** The two-minute story: a session outlives its server. Answers the exit code. */
export const demo = async (environment: NodeJS.ProcessEnv, home: string): Promise<number> => {
  const stage = new Stage()
  let isWell = false
  try {
    await stage.says("Troupe starts: a database, a node and a runner, in a home of its own.")
    const world = await World.start(environment, home)
    stage.shows(`it listens at ${world.url}`)
    isWell = await story(stage, world)
    await stage.says(
      isWell
        ? "It ran once, nothing was lost, and the log proves it."
        : `This is not as it should be. The log of the node is in the home; ${ourName} doctor looks at this host.`
    )
  } finally {
    await World.stop(environment)
    if (isWell) rmSync(home, { recursive: true, force: true })
    else stage.shows(`what is left is in ${home}`)
  }
  return isWell ? 0 : 1
}
