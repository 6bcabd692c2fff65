import { system } from "@troupe/domain/Actor"
import { RunnerId } from "@troupe/domain/Ids"
import { codec } from "@troupe/domain/workspace/WorkspaceEvent"
import { assert, layer } from "@effect/vitest"
import { Effect, Layer, Option, Redacted, Result } from "effect"
import * as SqlClient from "effect/sql/SqlClient"
import { EventStore } from "../../src/log/EventStore.ts"
import * as EventStorePg from "../../src/log/EventStorePg.ts"
import { Minting } from "../../src/log/Minting.ts"
import { WorkspaceLog } from "../../src/log/WorkspaceLog.ts"
import { RunnerRegistry } from "../../src/runners/RunnerRegistry.ts"
import { Tokens } from "../../src/runners/Tokens.ts"
import { Workspaces } from "../../src/workspace/Workspaces.ts"
import { verify } from "../log/conformance/judging.ts"
import { hello } from "../support/DialingRunner.ts"
import { newId } from "../support/LogWriter.ts"
import { TestDatabase } from "../support/TestDatabase.ts"

const Services = Layer.mergeAll(RunnerRegistry.layer, Workspaces.layer, EventStorePg.layer).pipe(
  Layer.provideMerge(Tokens.layer),
  Layer.provideMerge(WorkspaceLog.layer),
  Layer.provide(Minting.layer),
  Layer.provideMerge(TestDatabase.layerApp()),
  Layer.provideMerge(TestDatabase.layer()),
  Layer.orDie
)

const workspace = Effect.flatMap(Workspaces, ({ create }) => create("test", system))

const registration = Effect.gen(function* () {
  const workspaceId = yield* workspace
  const tokens = yield* Tokens
  const kind = "runner_registration"
  const made = yield* tokens.create({ workspaceId, kind, name: "reg", labels: ["eu"] }, system)
  return { ...made, workspaceId, token: yield* tokens.authenticate(kind, Option.some(made.secret)) }
})

const enrolled = Effect.gen(function* () {
  const registry = yield* RunnerRegistry
  const made = yield* registration
  const { credential, runner } = yield* registry.enrol(made.token, { name: "runner", labels: ["gpu"] })
  return { ...made, credential, runner }
})

const eventsOf = Effect.fnUntraced(function* (workspaceId: string) {
  const store = yield* EventStore
  const recorded = yield* store.read(workspaceId, { after: 0, limit: 1_000 })
  verify(recorded)
  return recorded.map((one) => Result.getOrThrow(codec.decodeStrict(one)))
})

layer(Services, { excludeTestServices: true, timeout: 120_000 })("the registry of runners", (it) => {
  it.effect("makes one first workspace, however many nodes ask at once", () =>
    Effect.gen(function* () {
      const { first } = yield* Workspaces
      const ids = yield* Effect.all(
        Array.from({ length: 8 }, () => first),
        { concurrency: "unbounded" }
      )
      assert.strictEqual(new Set(ids).size, 1)
    })
  )

  it.effect("keeps what a token opens, and nothing that opens it", () =>
    Effect.gen(function* () {
      const { credential, runner, secret, token, workspaceId } = yield* enrolled
      const sql = yield* SqlClient.SqlClient
      const rows = yield* sql`SELECT t::text AS text FROM tokens t UNION ALL SELECT r::text FROM runners r
        UNION ALL SELECT payload::text FROM events`
      for (const { text } of rows) {
        assert.notInclude(String(text), Redacted.value(secret))
        assert.notInclude(String(text), Redacted.value(credential))
      }
      assert.match(Redacted.value(secret), /^trp_reg_[\w-]{43}$/)
      assert.match(Redacted.value(credential), /^trp_run_[\w-]{43}$/)
      assert.deepStrictEqual(runner.labels, ["eu", "gpu"])
      const said = yield* eventsOf(workspaceId)
      assert.deepStrictEqual(
        said.map(({ _tag }) => _tag),
        ["WorkspaceCreated", "TokenCreated", "TokenCreated", "RunnerRegistered"]
      )
      const tokens = yield* Tokens
      const listed = (yield* tokens.list(workspaceId)).toReversed()
      assert.deepStrictEqual(
        listed.map(({ hint, kind, parentId }) => [kind, hint, parentId]),
        [
          ["runner_registration", Redacted.value(secret).slice(-4), null],
          ["runner", Redacted.value(credential).slice(-4), token.tokenId]
        ]
      )
    })
  )

  it.effect("tells a token that is unknown, expired, revoked or of another kind", () =>
    Effect.gen(function* () {
      const tokens = yield* Tokens
      const { credential, secret, tokenId, workspaceId } = yield* enrolled
      const authenticate = (kind: "runner" | "runner_registration", shown: Redacted.Redacted | undefined) =>
        Effect.map(Effect.result(tokens.authenticate(kind, Option.fromUndefinedOr(shown))), (result) =>
          Result.isFailure(result) ? result.failure.message : "let in"
        )
      assert.strictEqual(yield* authenticate("runner", undefined), "No token was sent")
      assert.strictEqual(yield* authenticate("runner", Redacted.make("trp_run_x")), "The token is unknown")
      assert.strictEqual(yield* authenticate("runner", credential), "let in")
      assert.strictEqual(yield* authenticate("runner", secret), "This is a registration token, not a runner token")
      assert.strictEqual(
        yield* authenticate("runner", Redacted.make("trp_abc")),
        "This is an API key, not a runner token"
      )
      const kind = "runner_registration"
      const past = yield* tokens.create({ workspaceId, kind, name: "p", labels: [], expiresAt: Date.now() - 1 }, system)
      assert.strictEqual(yield* authenticate(kind, past.secret), "The token is expired")
      assert.strictEqual(yield* tokens.revoke(yield* workspace, tokenId, system), 0)
      assert.strictEqual(yield* authenticate(kind, secret), "let in")
      assert.strictEqual(yield* tokens.revoke(workspaceId, tokenId, system), 1)
      assert.strictEqual(yield* tokens.revoke(workspaceId, tokenId, system), 0)
      assert.strictEqual(yield* authenticate(kind, secret), "The token is revoked")
      assert.strictEqual(yield* authenticate("runner", credential), "let in")
      assert.strictEqual((yield* eventsOf(workspaceId)).filter(({ _tag }) => _tag === "TokenRevoked").length, 1)
    })
  )

  it.effect("has the newest connection win, in whatever order they register and end", () =>
    Effect.gen(function* () {
      const registry = yield* RunnerRegistry
      for (let round = 0; round < 10; round++) {
        const { runner } = yield* enrolled
        const { runnerId } = runner
        const generations = yield* Effect.all(
          Array.from({ length: 6 }, () => registry.allot(runnerId)),
          { concurrency: "unbounded" }
        )
        assert.deepStrictEqual([...generations].sort(), [1, 2, 3, 4, 5, 6])
        const outcomes = yield* Effect.forEach(
          generations,
          (generation) =>
            Effect.gen(function* () {
              const won = yield* registry.register({ runnerId, generation, node: `node:${generation}`, hello })
              if (generation < 6) yield* registry.unregister(runnerId, generation)
              return { generation, won }
            }),
          { concurrency: "unbounded" }
        )
        assert.isTrue(outcomes.find(({ generation }) => generation === 6)!.won)
        const sql = yield* SqlClient.SqlClient
        const rows = yield* sql`SELECT generation, node FROM runners ORDER BY created_at DESC LIMIT 1`
        assert.deepStrictEqual(rows, [{ generation: 6, node: "node:6" }])
        assert.isFalse(yield* registry.register({ runnerId, generation: 5, node: "late", hello }))
        const standings = yield* registry.touch([
          { runnerId, generation: 5, load: { attempts: 9, sessions: 9, draining: true } },
          { runnerId, generation: 6, load: { attempts: 1, sessions: 2, draining: false } }
        ])
        assert.deepStrictEqual(standings.map(({ ended, generation }) => [generation, ended]).sort(), [
          [5, "replaced"],
          [6, null]
        ])
        const found = Option.getOrThrow(yield* registry.find(runnerId))
        assert.deepStrictEqual(found.load, { attempts: 1, sessions: 2, draining: false })
        // There is no such node: whatever the row says, nobody holds its socket.
        assert.isNull(found.node)
      }
    })
  )

  it.effect("shows a workspace its own runners and nobody else's", () =>
    Effect.gen(function* () {
      const registry = yield* RunnerRegistry
      const one = yield* enrolled
      const other = yield* enrolled
      const names = (yield* registry.list(one.workspaceId)).map(({ runnerId }) => runnerId)
      assert.deepStrictEqual(names, [one.runner.runnerId])
      const { runnerId } = other.runner
      assert.isFalse(yield* registry.setDrained(one.workspaceId, runnerId, true, system))
      assert.isTrue(yield* registry.setDrained(other.workspaceId, runnerId, true, system))
      assert.isTrue(yield* registry.setDrained(other.workspaceId, runnerId, true, system))
      const drained = (yield* eventsOf(other.workspaceId)).filter(({ _tag }) => _tag === "RunnerDrained")
      assert.strictEqual(drained.length, 1)
      assert.isTrue(Option.isNone(yield* registry.find(RunnerId.make(newId("Runner")))))
      assert.isTrue(Option.isNone(yield* registry.find("nonsense")))
    })
  )
})
