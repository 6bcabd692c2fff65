import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { toUuid } from "@troupe/domain/Ids"
import { Effect, Exit, Scope } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import { randomUUID } from "node:crypto"
import { once } from "node:events"
import { apiKey } from "../support/apiKey.ts"
import { endsBy, refusalOf } from "../support/revocation.ts"
import { TestDatabase } from "../support/TestDatabase.ts"
import { startNode, type TestNode } from "../support/TestNode.ts"

interface Answer {
  readonly status: number
  readonly text: string
  readonly headers: Headers
}

describe("two nodes", { timeout: 120_000 }, () => {
  const scope = Scope.makeUnsafe()
  let nodes: ReadonlyArray<TestNode>
  beforeAll(async () => {
    const database = await Effect.runPromise(Effect.provideService(TestDatabase.make(), Scope.Scope, scope))
    const first = await startNode(database)
    nodes = [first, await startNode(database)]
  }, 120_000)
  afterAll(async () => {
    for (const node of nodes ?? []) await node.end()
    await Effect.runPromise(Scope.close(scope, Exit.void))
  })

  const send = async (node: TestNode, key: string, path: string, body: object): Promise<Answer> => {
    const response = await fetch(`${node.gateway}${path}`, {
      method: "POST",
      headers: { "x-api-key": apiKey, "content-type": "application/json", "idempotency-key": key },
      body: JSON.stringify(body)
    })
    return { status: response.status, text: await response.text(), headers: response.headers }
  }
  const sql = <A>(work: (sql: SqlClient.SqlClient) => Effect.Effect<A, unknown>) =>
    nodes[0]!.run(Effect.orDie(Effect.flatMap(SqlClient.SqlClient, work)))
  /** How many writes of a kind the logs of workspaces tell of. */
  const noted = async (type: string) => (await sql((one) => one`SELECT FROM events WHERE type = ${type}`)).length

  it("do what an idempotency key asks both for once, and answer all alike", async () => {
    const kinds = [
      ["/v1/agents", { name: "once", model: "demo" }, "AgentCreated"],
      ["/v1/environments", { name: "once" }, "EnvironmentCreated"],
      ["/v1/projects", { name: "once" }, "ProjectCreated"]
    ] as const
    for (const [path, body, type] of kinds) {
      const before = await noted(type)
      const all = Array.from({ length: 20 }, (_, n) => send(nodes[n % 2]!, `key-of-${type}`, path, body))
      const answers = await Promise.all(all)
      assert.deepStrictEqual([...new Set(answers.map(({ status }) => status))], [200], answers[0]!.text)
      assert.strictEqual(new Set(answers.map(({ text }) => text)).size, 1, path)
      assert.strictEqual((await noted(type)) - before, 1, path)
      const first = answers.filter(({ headers }) => headers.get("idempotent-replayed") === null)
      assert.strictEqual(first.length, 1, path)
    }
  })

  it("refuse a key with another body, and it is not sent again", async () => {
    const bodies = ["one", "two"].map((name) => ({ name, model: "demo" }))
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, n) => send(nodes[n % 2]!, "key-of-two", "/v1/agents", bodies[n % 2]!))
    )
    const statuses = answers.map(({ status }) => status).toSorted()
    assert.deepStrictEqual(statuses, [...Array.from({ length: 5 }, () => 200), ...Array.from({ length: 5 }, () => 409)])
    for (const { headers, status } of answers) {
      if (status === 409) assert.strictEqual(headers.get("x-should-retry"), "false")
    }
  })

  /** A key that a node has taken, and has not settled. */
  const taken = (key: string, by: string) =>
    sql(
      (one) => one`
        UPDATE idempotency_keys SET status = NULL, body = NULL, held_by = ${by} WHERE key = ${key}`
    )

  it("wait for the one that has a key, and go on where that one is gone", async () => {
    const body = { name: "left", model: "demo" }
    const { id } = JSON.parse((await send(nodes[0]!, "left", "/v1/agents", body)).text)
    const [living] = await nodes[0]!.run(
      Effect.orDie(
        Effect.flatMap(
          SqlClient.SqlClient,
          (one) => one<{ readonly id: string }>`SELECT node_id AS id FROM nodes WHERE address = ${nodes[0]!.address}`
        )
      )
    )
    await taken("left", living!.id)
    let isAnswered = false
    const waiting = send(nodes[1]!, "left", "/v1/agents", body).finally(() => (isAnswered = true))
    await sql((one) => one`SELECT pg_sleep(0.5)`)
    assert.isFalse(isAnswered)
    await taken("left", randomUUID())
    const answer = await waiting
    assert.deepStrictEqual([answer.status, JSON.parse(answer.text).id], [200, id])
  })

  it("let nobody in, nor go on reading at the one, whose key was revoked at the other", async () => {
    const [here, there] = nodes as readonly [TestNode, TestNode]
    const made = async (path: string, body: object) => JSON.parse((await send(here, randomUUID(), path, body)).text)
    const agent = await made("/v1/agents", { name: "followed", model: "demo" })
    const session = await made("/v1/sessions", { agent: agent.id })
    const key = await made("/v1/tokens", { kind: "api_key", name: "k", scopes: ["read"] })
    const headers = { "x-api-key": key.secret }
    const user = await made("/v1/tokens", { kind: "end_user", subject: "ann" })
    const paths = ["events/stream", "log/stream"].map((name) => `/v1/sessions/${session.id}/${name}`)
    const anns = await made("/v1/sessions", { agent: agent.id, troupe: { end_user: "ann" } })
    const streams = await Promise.all([
      ...[...paths, "/v1/log/stream"].map((path) => fetch(`${there.gateway}${path}`, { headers })),
      fetch(`${there.gateway}/v1/sessions/${anns.id}/log/stream`, { headers: { "x-api-key": user.secret } })
    ])
    assert.deepStrictEqual(
      streams.map(({ status }) => status),
      [200, 200, 200, 200]
    )
    const sockets = await Promise.all(
      ["/v1/feed", "/v1/rpc"].map(async (path) => {
        const socket = new WebSocket(`${there.gateway.replace("http", "ws")}${path}`, { headers } as never)
        const code = once(socket, "close").then(([event]) => (event as CloseEvent).code)
        await once(socket, "open")
        return { code }
      })
    )
    const lists = () => fetch(`${there.gateway}/v1/agents`, { headers })
    assert.strictEqual((await lists()).status, 200)
    // One that expires opens as little as one that is revoked.
    await sql((one) => one`UPDATE tokens SET expires_at = now() WHERE token_id = ${toUuid(user.id)!}`)
    const revokes = fetch(`${here.gateway}/v1/tokens/${key.id}`, { method: "DELETE", headers: { "x-api-key": apiKey } })
    const [status, ...ended] = await endsBy(revokes, () =>
      Promise.all([
        refusalOf(lists),
        ...sockets.map(({ code }) => code),
        ...streams.map((stream) => stream.text().then(() => "ended"))
      ])
    )
    assert.deepStrictEqual([status, ...ended], [401, 4401, 4401, "ended", "ended", "ended", "ended"])
  })
})
