import { assert, describe, it } from "@effect/vitest"
import type { SessionId } from "@troupe/domain/Ids"
import { Effect, Redacted, Stream } from "effect"
import { TroupeClient } from "../src/effect.ts"
import { frameOf, HostileServer, json, logEvent, refusal, sse, write } from "./support/HostileServer.ts"

const sessionId = `sesn_01${"1".repeat(22)}` as SessionId
const event = (seq: number) => ({ ...logEvent(seq), commitment: "0".repeat(64), chain: "0".repeat(64) })

const run = <A, E>(server: HostileServer, work: (client: TroupeClient["Service"]) => Effect.Effect<A, E>) =>
  Effect.runPromise(
    Effect.provide(
      Effect.flatMap(TroupeClient, work),
      TroupeClient.layerFetch({ baseURL: server.baseURL, apiKey: Redacted.make("k") })
    )
  )

describe("the client as effects", () => {
  it("sends a write again under the same key", async () => {
    const token = { id: `tok_01${"1".repeat(22)}`, type: "token_revoked" }
    await using server = await HostileServer.start(refusal(503, "api_error", { "retry-after": "0" }), json(token))
    await run(server, (client) => client.workspace.revokeToken({ params: { id: token.id as never } }))
    const keys = server.seen.map(({ headers }) => headers["idempotency-key"])
    assert.strictEqual(keys.length, 2)
    assert.strictEqual(keys[0], keys[1])
    assert.strictEqual(server.seen[0]!.headers.authorization, "Bearer k")
  })

  it("reads a stream past its heartbeats, cut anywhere", async () => {
    const ping = `event: ping\ndata: {"type":"ping"}\n\n`
    const text = ping + frameOf(event(1)) + ping + ping + frameOf(event(2)) + ping
    await using server = await HostileServer.start(async (response) => {
      sse(response)
      for (let at = 0; at < text.length; at += 11) await write(response, text.slice(at, at + 11))
      response.end()
    })
    const seqs = await run(server, (client) =>
      Effect.flatMap(client.events.streamLog({ params: { id: sessionId }, query: {} }), (stream) =>
        Stream.runCollect(Stream.map(stream, ({ seq }) => seq))
      )
    )
    assert.deepStrictEqual(seqs, [1, 2])
  })
})
