import * as NodeWS from "@effect/platform-node/NodeWS"
import { Effect, Exit, Scope, Stream } from "effect"
import type { AddressInfo } from "node:net"
import { runRequest } from "../../../packages/runner/test/support/requests.ts"
import { refOf } from "../../../packages/runner/test/support/attemptWorld.ts"
import { spawnRunner } from "../../../packages/runner/test/support/RunnerProcess.ts"
import { scratch } from "../../../packages/runner/test/support/scratch.ts"
import { TestNode } from "../../../packages/runner/test/support/TestNode.ts"
import { compared } from "../../harness/Result.ts"
import { interleave } from "../../harness/rounds.ts"
import type { Bench } from "../../harness/Suite.ts"

const frames = 20_000
const chars = 400
const peer = "a bare WebSocket, one message each"

/** As many messages of the same length, with nothing kept and nothing acknowledged. */
const bareSocket = async () => {
  const server = new NodeWS.WebSocketServer({ port: 0, host: "127.0.0.1" })
  server.on("connection", (socket) => {
    const message = JSON.stringify({ n: 0, at: 0, body: { _tag: "TitleSuggested", title: "x".repeat(chars) } })
    socket.on("message", () => {
      for (let n = 0; n < frames; n++) socket.send(message)
    })
  })
  await new Promise((resolve) => server.once("listening", resolve))
  const client = new NodeWS.WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`)
  await new Promise((resolve) => client.once("open", resolve))
  return {
    measure: async () => {
      const begun = performance.now()
      let left = frames
      await new Promise<void>((resolve) => {
        client.removeAllListeners("message")
        client.on("message", (data: Buffer) => {
          JSON.parse(data.toString())
          if (--left === 0) resolve()
        })
        client.send("go")
      })
      return (frames / (performance.now() - begun)) * 1_000
    },
    end: () => {
      client.terminate()
      server.close()
    }
  }
}

/** Frames that a runner's process journals, syncs and sends, and that are acknowledged as they come. */
export const frameRate: Bench = {
  id: "R-FRAMES",
  about: "frames over the connection",
  run: async ({ plan, say }) => {
    const scope = Effect.runSync(Scope.make())
    const within = <A, E>(effect: Effect.Effect<A, E, Scope.Scope>) => Effect.runPromise(Scope.provide(effect, scope))
    const bare = await bareSocket()
    try {
      const node = new TestNode()
      await within(node.start)
      await within(Effect.flatMap(scratch, (state) => spawnRunner({ state, server: node.url, token: "for-a-bench" })))
      const { client } = await within(node.link(1))
      let attempts = 0
      const once = async () => {
        const request = runRequest(++attempts)
        const named = { ...request, agent: { ...request.agent, name: `together ${frames} ${chars}` } }
        const attempt = refOf(named)
        const begun = performance.now()
        let seen = 0
        await Effect.runPromise(
          Stream.runForEach(client.Run(named), (output) => {
            if (output._tag === "Contact") return client.Acknowledge({ attempt, frame: seen, contact: output.contact })
            if (output._tag !== "Frames") return Effect.void
            seen = output.frames[output.frames.length - 1]!.n
            return client.Acknowledge({ attempt, frame: seen, contact: 0 })
          })
        )
        return (seen / (performance.now() - begun)) * 1_000
      }
      const sides = [
        { name: "frames", measure: once },
        { name: "bare", measure: bare.measure }
      ]
      const values = await interleave(sides, plan, say)
      return [
        compared(
          { id: "R-FRAMES", metric: `${frames} frames of ${chars} characters, journaled and acknowledged`, unit: "/s" },
          values.get("frames")!,
          peer,
          values.get("bare")!,
          null
        )
      ]
    } finally {
      bare.end()
      await Effect.runPromise(Scope.close(scope, Exit.void))
    }
  }
}
