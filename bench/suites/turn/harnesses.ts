/** The default harness on a runner, over models that answer at once, or piece by piece. */
import { text } from "@troupe/domain/session/Content"
import { Context, Effect, Exit, Latch, Layer, Result, Scope, Stream } from "effect"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Attempts } from "../../../packages/runner/src/attempt/Attempts.ts"
import * as OpenAiAgents from "../../../packages/runner/src/harness/openai-agents/OpenAiAgents.ts"
import type { ModelClient, ModelEvent } from "../../../packages/runner/src/models/ModelClient.ts"
import * as FakeRun from "../../../packages/runner/test/harness/FakeRun.ts"
import { attemptsLayer, refOf } from "../../../packages/runner/test/support/attemptWorld.ts"
import { runRequest } from "../../../packages/runner/test/support/requests.ts"
import { sdkAlone } from "../../../packages/runner/test/support/sdkAlone.ts"
import { serve } from "../../harness/serve.ts"
import { usage } from "../../harness/usage.ts"

const clientOf = (stream: ModelClient["stream"]): ModelClient => ({
  provider: "bench",
  probe: Effect.succeed({ usable: true, notes: [], models: [] }),
  facts: () => ({ contextTokens: 10_000_000, outputTokens: 8_192 }),
  stream
})
const harnessOver = (client: ModelClient) =>
  OpenAiAgents.make({ choose: () => Effect.succeed(Result.succeed({ client, model: "instant", price: null })) })

/** Asks for one call of a tool in each answer, so many times, and then says that it is done. */
const calling = (requests: number): ModelClient => {
  let left = requests
  return clientOf(() => {
    const said: ReadonlyArray<ModelEvent> =
      --left > 0
        ? [
            { _tag: "ToolCall", index: 0, providerCallId: `call_${left}`, name: "work", input: "{}" },
            { _tag: "Ended", stop: "tool_calls", usage }
          ]
        : [
            { _tag: "Text", index: 0, text: "done" },
            { _tag: "Ended", stop: "end_turn", usage }
          ]
    return Stream.fromIterable(said)
  })
}

/** Milliseconds a model request, with its call, in the harness. */
const ours = async (requests: number) => {
  const fake = FakeRun.make({
    model: "instant",
    history: [FakeRun.user("go")],
    tools: { work: () => Effect.succeed("out") }
  })
  const begun = performance.now()
  const end = await Effect.runPromise(harnessOver(calling(requests)).run(fake.run))
  if (end._tag !== "Completed") throw new Error(`It ended with ${end._tag}`)
  return (performance.now() - begun) / requests
}

/** An answer of so many pieces, at once or with a pause before each. */
const talking = (pieces: number, everyMs: number, gate: Effect.Effect<void> = Effect.void): ModelClient => {
  const delta: ModelEvent = { _tag: "Delta", index: 0, text: "four " }
  const paced = Stream.fromIterable(Array.from({ length: pieces }, () => delta)).pipe(
    Stream.rechunk(1),
    Stream.mapEffect((one) => (everyMs > 0 ? Effect.as(Effect.sleep(everyMs), one) : Effect.succeed(one)))
  )
  const begun: ModelEvent = { _tag: "Begun", index: 0, kind: "text" }
  const rest: ReadonlyArray<ModelEvent> = [
    { _tag: "Text", index: 0, text: "four ".repeat(pieces) },
    { _tag: "Ended", stop: "end_turn", usage }
  ]
  return clientOf(() =>
    Stream.succeed(begun).pipe(
      Stream.concat(Stream.drain(Stream.fromEffect(gate))),
      Stream.concat(paced),
      Stream.concat(Stream.fromIterable(rest))
    )
  )
}

interface World {
  readonly attempts: Attempts["Service"]
  readonly close: () => Promise<void>
}

const worldOver = async (client: ModelClient, capacity: number): Promise<World> => {
  const directory = mkdtempSync(join(tmpdir(), "troupe-bench-turn-"))
  const scope = Effect.runSync(Scope.make())
  const layer = attemptsLayer({ directory, capacity, run: harnessOver(client).run })
  const services = await Effect.runPromise(Scope.provide(Layer.build(layer), scope))
  return {
    attempts: Context.get(services, Attempts),
    close: async () => {
      await Effect.runPromise(Scope.close(scope, Exit.void))
      rmSync(directory, { recursive: true, force: true })
    }
  }
}

/** One attempt and its reader, who acknowledges what it reads; how many characters of deltas it got. */
const followed = ({ attempts }: World, n: number) => {
  const request = { ...runRequest(n), history: [{ ...runRequest(n).history[0]!, content: text("go") }] } as never
  const ref = refOf(runRequest(n))
  let read = 0
  let seen = 0
  const stream = attempts.run(request).pipe(
    Stream.runForEach((output) => {
      if (output._tag === "Delta") read += output.text.length
      if (output._tag === "Frames") seen = output.frames.at(-1)!.n
      return output._tag === "Delta"
        ? Effect.void
        : attempts.acknowledge(ref, { frame: seen, contact: output._tag === "Contact" ? output.contact : 0 })
    })
  )
  return Effect.as(stream, { characters: () => read, frames: () => seen })
}

let attempt = 0

/** Pieces a second, from the model to the reader of the runner's stream, journal and all. */
const deltas = async (pieces: number) => {
  const world = await worldOver(talking(pieces, 0), 1)
  try {
    const begun = performance.now()
    const { characters } = await Effect.runPromise(followed(world, ++attempt))
    const perSecond = (pieces / (performance.now() - begun)) * 1_000
    if (characters() !== pieces * 5) throw new Error(`${characters()} characters arrived of ${pieces * 5}`)
    return perSecond
  } finally {
    await world.close()
  }
}

const residentMiB = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))![1]!) / 1_024

/** How much of this process is resident while so many attempts stream side by side, at its most. */
const streaming = async ({ everyMs, pieces, sessions }: { sessions: number; pieces: number; everyMs: number }) => {
  const gate = Latch.makeUnsafe(false)
  const world = await worldOver(talking(pieces, everyMs, gate.await), sessions)
  let peak = 0
  let open = 0
  const timer = setInterval(() => (peak = Math.max(peak, residentMiB())), 100)
  try {
    const first = attempt + 1
    attempt += sessions
    const all = Array.from({ length: sessions }, (_, index) =>
      Effect.runPromise(followed(world, first + index)).then(({ characters }) => {
        open++
        return characters()
      })
    )
    // Each has said that its request began before any says a word.
    while ((await Effect.runPromise(world.attempts.working)) < sessions) {
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    gate.openUnsafe()
    const read = await Promise.all(all)
    const wrong = read.filter((characters) => characters !== pieces * 5).length
    if (open !== sessions || wrong > 0) throw new Error(`${wrong} of ${open} readers missed something`)
    return peak
  } finally {
    clearInterval(timer)
    await world.close()
  }
}

serve({ ours, sdk: sdkAlone, deltas, streaming })
