import { system } from "@troupe/domain/Actor"
import type { EventId, RunnerId, SessionId, TurnId, WorkspaceId } from "@troupe/domain/Ids"
import { toUuid } from "@troupe/domain/Ids"
import { text } from "@troupe/domain/session/Content"
import * as PgClient from "@effect/sql-pg/PgClient"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Effect, Exit, Layer, ManagedRuntime, Redacted, Scope } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import { Minting } from "../../src/log/Minting.ts"
import { WorkspaceLog } from "../../src/log/WorkspaceLog.ts"
import { Tokens } from "../../src/runners/Tokens.ts"
import { Workspaces } from "../../src/workspace/Workspaces.ts"
import type { Script } from "../support/AttemptScript.ts"
import { openCommand } from "../support/CommandGenerator.ts"
import { dial, type Dialled } from "../support/DialingRunner.ts"
import { newId } from "../support/LogWriter.ts"
import type { NodeProcess } from "../support/NodeProcess.ts"
import { prng } from "../../../../test/support/Prng.ts"
import * as ScriptedRunner from "../support/ScriptedRunner.ts"
import { eventually, TestCluster } from "../support/TestCluster.ts"
import { TestDatabase } from "../support/TestDatabase.ts"
import { postRegistration } from "../support/TestNode.ts"

const effect = { _tag: "Tool", kind: "effect", ms: 5, fails: false, expiresInMs: null } as const
const script: Script = {
  steps: [effect, { _tag: "Think", ms: 4_000, deltas: 4, tokens: 10 }, effect],
  end: { _tag: "Complete", stop: "end_turn" },
  deaf: false
}

describe("a turn on a runner", { timeout: 240_000 }, () => {
  const scope = Scope.makeUnsafe()
  const random = prng(11)
  let cluster: TestCluster
  let sql: ManagedRuntime.ManagedRuntime<Tokens | Workspaces | PgClient.PgClient | SqlClient.SqlClient, unknown>
  let workspaceId: WorkspaceId
  const open: Array<Dialled> = []

  beforeAll(async () => {
    const database = await Effect.runPromise(Effect.provideService(TestDatabase.make(), Scope.Scope, scope))
    sql = ManagedRuntime.make(
      Layer.mergeAll(Tokens.layer, Workspaces.layer).pipe(
        Layer.provide(WorkspaceLog.layer),
        Layer.provide(Minting.layer),
        Layer.provideMerge(PgClient.layer({ url: database.appUrl, maxConnections: 2 }))
      )
    )
    workspaceId = await sql.runPromise(Effect.flatMap(Workspaces, ({ create }) => create("test", system)))
    cluster = new TestCluster(database)
  }, 60_000)

  afterAll(async () => {
    for (const one of open) await one.cut()
    await cluster?.end()
    await sql?.dispose()
    await Effect.runPromise(Scope.close(scope, Exit.void))
  })

  const registered = async (node: NodeProcess) => {
    const { secret } = await sql.runPromise(
      Effect.flatMap(Tokens, ({ create }) =>
        create({ workspaceId, kind: "runner_registration", name: "t", labels: [] }, system)
      )
    )
    const response = await postRegistration(node.gateway, secret, { name: "runner" })
    const body = (await response.json()) as { runner_id: string; credential: string }
    const made = ScriptedRunner.make({ random, runnerId: body.runner_id as RunnerId, script: () => script })
    return { ...body, runner: await Effect.runPromise(Effect.provideService(made, Scope.Scope, Scope.makeUnsafe())) }
  }

  const connect = async (node: NodeProcess, { credential, runner }: Awaited<ReturnType<typeof registered>>) => {
    const dialled = await dial({ gateway: node.gateway, credential: Redacted.make(credential), driver: runner.driver })
    open.push(dialled)
    await dialled.greeted
    return dialled
  }

  /** A session that lives on `owner` and has a turn to do. */
  const begun = async (owner: NodeProcess): Promise<SessionId> => {
    while (true) {
      const session = newId("Session") as SessionId
      if (!(await owner.owns(session))) continue
      const body = { ...openCommand(random, session, workspaceId), inputs: [], budget: [], history: [] }
      await owner.command(session, cluster.command({ ...body, externalThreadKey: null } as never))
      const message = {
        _tag: "Message",
        inputId: newId("Event") as EventId,
        turnId: newId("Turn") as TurnId,
        threadId: null,
        content: text("go"),
        mode: "queue",
        overrides: {},
        needsApproval: false
      } as const
      const sent = await owner.command(session, cluster.command({ _tag: "Send", inputs: [message] }))
      assert.isUndefined(sent.error)
      return session
    }
  }

  const types = async (session: SessionId): Promise<ReadonlyArray<string>> => {
    const rows = await sql.runPromise(
      Effect.flatMap(
        PgClient.PgClient,
        (client) => client<{ type: string }>`
          SELECT type FROM events WHERE stream_id = ${toUuid(session)!}::uuid ORDER BY seq`
      )
    )
    return rows.map(({ type }) => type)
  }

  const until = (session: SessionId, type: string) =>
    eventually(async () => (await types(session)).includes(type), `${type} in ${session}`, 60_000)

  const once = async (session: SessionId) => {
    const all = await types(session)
    assert.strictEqual(all.filter((type) => type === "AttemptStarted").length, 1)
    assert.strictEqual(all.filter((type) => type === "ToolFinished").length, 2)
    assert.notInclude(all, "AttemptLost")
  }

  it("is let in by the token that nodes were started with, which is made once", async () => {
    const token = `own-${"t".repeat(40)}`
    const nodes = await Promise.all([1, 2].map(() => cluster.add({ TROUPE_RUNNER_TOKEN: token })))
    for (const node of nodes) {
      assert.strictEqual((await postRegistration(node.gateway, token, { name: "beside" })).status, 200)
    }
    const rows = await sql.runPromise(
      Effect.flatMap(PgClient.PgClient, (client) => client`SELECT FROM tokens WHERE hint = 'tttt'`)
    )
    assert.strictEqual(rows.length, 1)
    await Promise.all(nodes.map((node) => node.end("SIGKILL")))
    const short = await cluster.add({ TROUPE_RUNNER_TOKEN: "short-secret" }).catch((error: unknown) => String(error))
    assert.include(String(short), "TROUPE_RUNNER_TOKEN")
    assert.notInclude(String(short), "short-secret")
  })

  it("goes on over another node when the one that held its runner's socket is killed", async () => {
    const [holder, owner] = await Promise.all([cluster.add(), cluster.add()])
    await cluster.settled([holder!, owner!])
    const runner = await registered(holder!)
    const first = await connect(holder!, runner)
    const session = await begun(owner!)
    await until(session, "ToolFinished")
    await holder!.end("SIGKILL")
    await first.ended
    const second = await connect(owner!, runner)
    await until(session, "TurnCompleted")
    await once(session)
    assert.isTrue(second.calls.includes("Attach"))
    assert.isFalse(second.calls.includes("Run"))
    await owner!.end("SIGKILL")
    await second.ended
  })

  it("goes on at another owner, over the link that its runner has, when its owner is killed", async () => {
    const [holder, owner] = await Promise.all([cluster.add(), cluster.add()])
    await cluster.settled([holder!, owner!])
    const runner = await registered(holder!)
    const link = await connect(holder!, runner)
    const session = await begun(owner!)
    await until(session, "ToolFinished")
    const killed = performance.now()
    await owner!.end("SIGKILL")
    await eventually(async () => link.calls.includes("Attach"), "the new owner attaches")
    console.log(`attached ${Math.round(performance.now() - killed)} ms after the owner was killed`)
    await until(session, "TurnCompleted")
    await once(session)
    assert.strictEqual(link.calls.filter((call) => call === "Run").length, 1)
    assert.strictEqual(runner.runner.notes.filter(({ note }) => note._tag === "Effect").length, 2)
  })
})
