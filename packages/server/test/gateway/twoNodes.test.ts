import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Effect, Exit, Scope } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import { randomUUID } from "node:crypto"
import { apiKey } from "../support/apiKey.ts"
import { TestDatabase } from "../support/TestDatabase.ts"
import { startNode, type TestNode } from "../support/TestNode.ts"

interface Answer {
  readonly status: number
  readonly text: string
  readonly headers: Headers
}

describe("an idempotency key that comes to two nodes at once", { timeout: 120_000 }, () => {
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

  it("does what it asks for once, and answers all alike", async () => {
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

  it("is refused with another body, on either, and not sent again", async () => {
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

  it("waits for the node that has it, and goes on where that one is gone", async () => {
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
})
