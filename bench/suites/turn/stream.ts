/** A long answer, from a model through a runner and a node to one reader over HTTP. */
import { bounded, type Result } from "../../harness/Result.ts"
import { interleave } from "../../harness/rounds.ts"
import { spread } from "../../harness/stats.ts"
import type { Bench, Context } from "../../harness/Suite.ts"
import { follow, make, post } from "../gateway/http.ts"
import { spoken } from "../gateway/instantModel.ts"
import { runnerHome } from "../gateway/runnerHome.ts"
import { withWorld, type World } from "../gateway/world.ts"

const message = JSON.stringify({ events: [{ type: "user.message", content: [{ type: "text", text: "go" }] }] })
const tools = [{ type: "agent_toolset_20260401" }]

/** What a reader saw of one answer: how long after its message all of it was there, and how much of it came before. */
interface Seen {
  ms: number
  /** Characters that came in pieces, before the message was whole. */
  inPieces: number
}

interface Frame {
  readonly type: string
  readonly delta?: { readonly content: { readonly text: string } }
  readonly content?: ReadonlyArray<{ readonly text: string }>
}

/** A session that is followed with all pieces of its messages, and what is seen of a turn of it. */
const turnsOf = async ({ origin }: World, agent: string) => {
  const session = (await make(origin, "/v1/sessions", { agent })).id as string
  let heard: (frame: Frame) => void = () => undefined
  await follow(origin, `/v1/sessions/${session}/events/stream?event_deltas[]=agent.message`, (frame) => {
    const data = /^data: (.*)$/m.exec(frame.toString())?.[1]
    if (data !== undefined) heard(JSON.parse(data) as Frame)
  })
  return () =>
    new Promise<Seen>((resolve, reject) => {
      const begun = performance.now()
      let ms = 0
      let inPieces = 0
      heard = ({ content, delta, type }) => {
        if (type === "event_delta") inPieces += delta!.content.text.length
        if (type === "agent.message") {
          ms = performance.now() - begun
          const characters = content!.reduce((sum, { text }) => sum + text.length, 0)
          if (characters !== spoken.pieces * spoken.piece.length) reject(new Error(`${characters} characters arrived`))
        }
        if (type === "session.status_idle") resolve({ ms, inPieces })
      }
      post(origin, `/v1/sessions/${session}/events`, message).catch(reject)
    })
}

/** How many transactions of the database server have written anything so far. */
const written = async ({ system }: World): Promise<number> => {
  const [row] = await system.query<{ next: string }>("SELECT pg_snapshot_xmax(pg_current_snapshot())::text AS next")
  return Number(row!.next)
}

const run = async (context: Context): Promise<ReadonlyArray<Result>> =>
  withWorld(context, "deltas_http", async (world) => {
    world.system.runner({ state: runnerHome() })
    const { id } = await make(world.origin, "/v1/agents", { name: "talker", model: "instant/pieces", tools })
    const turn = await turnsOf(world, id)
    // It has its place and its runner from here on.
    await turn()
    const writes: Array<number> = []
    const shares: Array<number> = []
    const measure = async (ms: number) => {
      const speeds: Array<number> = []
      for (const end = performance.now() + ms; performance.now() < end || speeds.length < 3;) {
        const before = await written(world)
        const seen = await turn()
        writes.push((await written(world)) - before)
        shares.push((100 * seen.inPieces) / (spoken.pieces * spoken.piece.length))
        speeds.push((spoken.pieces / seen.ms) * 1_000)
      }
      return spread(speeds).median
    }
    const { plan, say } = context
    const values = await interleave([{ name: "stream", measure }], plan, say)
    const subject = (metric: string, unit: string) => ({ id: "T-STREAM", metric, unit })
    const answer = `an answer of ${spoken.pieces} pieces`
    return [
      bounded(
        subject(`${answer}, from the message that asks for it to a reader over SSE`, "pieces/s"),
        values.get("stream")!,
        {
          atLeast: 5_000
        }
      ),
      bounded(subject(`transactions that write, in a turn with ${answer}`, "transactions"), writes, { atMost: 100 }),
      bounded(subject(`how much of ${answer} is shown before it is whole`, "%"), shares, null)
    ]
  })

export const stream: Bench = { id: "T-STREAM", about: "an answer in pieces over HTTP", run }
