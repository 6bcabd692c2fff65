import { assert, describe, it } from "@effect/vitest"
import { canonical } from "@troupe/domain/CanonicalJson"
import type { EventId } from "@troupe/domain/Ids"
import type { Json } from "@troupe/domain/Json"
import type { Call } from "@troupe/domain/session/SessionState"
import { Effect, Exit, Fiber, Latch, Schema } from "effect"
import { TestClock } from "effect/testing"
import { hash } from "node:crypto"
import { Scrubber } from "../../src/secrets/Scrubber.ts"
import type { Judgement } from "../../src/tools/Classifier.ts"
import { ToolFailure } from "../../src/tools/Tool.ts"
import { gatewayOf, newCallId, textOf, threadId, tool, toolset } from "./world.ts"

const digest = (input: Json) => hash("sha256", canonical(input), "hex")

/** A tool that says when it has begun, and goes on when it is told to. */
const waitingTool = (spec: Parameters<typeof tool>[0]) => {
  const begun = Latch.makeUnsafe(false)
  const goOn = Latch.makeUnsafe(false)
  const counts = { begun: 0, ended: 0, running: 0, most: 0 }
  const own = tool(spec, {
    timeoutMs: () => 86_400_000,
    run: () =>
      Effect.acquireUseRelease(
        Effect.sync(() => {
          counts.begun++
          counts.most = Math.max(counts.most, ++counts.running)
          begun.openUnsafe()
        }),
        () => Effect.as(goOn.await, { content: [{ type: "text", text: "done" }] as const }),
        () => Effect.sync(() => void (counts.running--, counts.ended++))
      )
  })
  return { own, begun, goOn, counts }
}

describe("A call that is asked for", () => {
  it.effect("is on record before it starts, starts before it runs, and ends once", () =>
    Effect.gen(function* () {
      const { call, frames } = gatewayOf({ others: [tool({ name: "t" })] })
      const result = yield* call("t", { a: 1 })
      assert.deepStrictEqual(frames.tags(), ["ToolRequested", "ToolStarted", "ToolFinished"])
      assert.strictEqual(result._tag, "Done")
      const { inputDigest, verdict } = frames.last("ToolRequested")
      assert.deepStrictEqual(
        [inputDigest, verdict.permission, verdict.rule],
        [digest({ a: 1 }), "allow", "tools.t.always_allow"]
      )
      const { details, durationMs, outcome } = frames.last("ToolFinished")
      assert.deepStrictEqual([outcome, durationMs], ["succeeded", 0])
      assert.deepInclude(details?.["audit"], {
        tool: "t",
        permission: "allow",
        rule: "tools.t.always_allow",
        outputBytes: 4
      })
    })
  )

  it.effect("runs only once its start is in the log", () =>
    Effect.gen(function* () {
      const { begun, counts, goOn, own } = waitingTool({ name: "t" })
      const { call, frames } = gatewayOf({ others: [own] })
      frames.hold()
      goOn.openUnsafe()
      const running = yield* Effect.forkChild(call("t", {}))
      yield* frames.said("ToolStarted")
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(counts.begun, 0)
      frames.acknowledge(1)
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(counts.begun, 0)
      frames.acknowledge(2)
      yield* begun.await
      assert.strictEqual((yield* Fiber.join(running))._tag, "Done")
    })
  )

  it.effect("does not wait for the log if it only reads", () =>
    Effect.gen(function* () {
      const { call, frames } = gatewayOf({ others: [tool({ name: "t", readOnly: true })] })
      frames.hold()
      assert.strictEqual((yield* call("t", {}))._tag, "Done")
    })
  )

  it.effect("does not start while no node is in reach, whatever it does", () =>
    Effect.gen(function* () {
      const { call, frames } = gatewayOf({ others: [tool({ name: "t", readOnly: true })] })
      frames.loseContact()
      const running = yield* Effect.forkChild(call("t", {}))
      yield* frames.said("ToolRequested")
      yield* TestClock.adjust("1 hour")
      assert.deepStrictEqual(frames.tags(), ["ToolRequested"])
      frames.findContact()
      assert.strictEqual((yield* Fiber.join(running))._tag, "Done")
    })
  )

  it.effect("is denied readably if there is no such tool, or its arguments are wrong", () =>
    Effect.gen(function* () {
      const schema = { type: "object", properties: { n: { type: "integer" } }, required: ["n"] }
      const { call, frames } = gatewayOf({ agentTools: [], others: [tool({ name: "t", inputSchema: schema })] })
      const unknown = yield* call("other", {})
      assert.strictEqual(unknown._tag === "Done" && textOf(unknown.content), 'There is no tool "other". There is t.')
      const wrong = yield* call("t", { n: "one" })
      assert.strictEqual(
        wrong._tag === "Done" && textOf(wrong.content),
        'The arguments of t are not what it takes:\n- `n` must be integer, not "one"'
      )
      assert.deepStrictEqual(frames.tags(), ["ToolRequested", "ToolFinished", "ToolRequested", "ToolFinished"])
      assert.deepStrictEqual(
        frames.all("ToolFinished").map(({ outcome }) => outcome),
        ["denied", "denied"]
      )
      assert.deepStrictEqual(
        frames.all("ToolRequested").map(({ verdict }) => verdict.rule),
        ["catalog", "input.schema"]
      )
    })
  )

  it.effect("is denied if its arguments are too long to be recorded, and they are not", () =>
    Effect.gen(function* () {
      const { call, frames } = gatewayOf({ others: [tool({ name: "t" })] })
      const result = yield* call("t", { text: "x".repeat(1_000_000) })
      assert.strictEqual(result._tag === "Done" && result.outcome, "denied")
      assert.isBelow(JSON.stringify(frames.bodies).length, 2_000)
    })
  )

  it.effect("is denied by the policy with the rule that denied it, and never starts", () =>
    Effect.gen(function* () {
      const policies = [{ type: "rules", rules: [{ tool: "t", then: "deny", reason: "not on Fridays" }] }]
      const { call, frames } = gatewayOf({ others: [tool({ name: "t" })], policies })
      const result = yield* call("t", {})
      assert.strictEqual(
        result._tag === "Done" && textOf(result.content),
        "The call was denied by agent.policies[0].rules[0]: not on Fridays."
      )
      assert.deepStrictEqual(
        [frames.last("ToolRequested").awaits, frames.last("ToolFinished").outcome],
        ["nothing", "denied"]
      )
      assert.strictEqual(frames.all("ToolStarted").length, 0)
    })
  )

  it.effect("waits for somebody if the policy says to ask, and for nobody if the session allowed it", () =>
    Effect.gen(function* () {
      const asks = tool({ name: "t" }, { policy: { type: "always_ask" } })
      const asked = gatewayOf({ others: [asks] })
      assert.strictEqual((yield* asked.call("t", {}))._tag, "Awaiting")
      assert.strictEqual(asked.frames.last("ToolRequested").awaits, "confirmation")
      const allowed = gatewayOf({ others: [asks], grants: ["function:t"] })
      assert.strictEqual((yield* allowed.call("t", {}))._tag, "Done")
      const { awaits, verdict } = allowed.frames.last("ToolRequested")
      assert.deepStrictEqual([awaits, verdict.permission], ["nothing", "ask"])
    })
  )

  it.effect("is left to the client if it is the client's", () =>
    Effect.gen(function* () {
      const custom = {
        type: "custom",
        name: "ask_crm",
        description: "d",
        input_schema: { type: "object", required: ["id"] }
      }
      const { call, frames } = gatewayOf({ agentTools: [custom] })
      assert.strictEqual((yield* call("ask_crm", { id: 1 }))._tag, "Awaiting")
      assert.deepStrictEqual(
        [frames.last("ToolRequested").awaits, frames.last("ToolRequested").executor],
        ["result", "client"]
      )
      assert.strictEqual((yield* call("ask_crm", {}))._tag, "Done")
      assert.strictEqual(frames.last("ToolFinished").outcome, "denied")
    })
  )

  it.effect("asks before each tool that runs where nothing isolates, also to read", () =>
    Effect.gen(function* () {
      const world = gatewayOf({
        others: [
          tool({ name: "t" }, { executor: "sandbox" }),
          tool({ name: "r", readOnly: true }, { executor: "sandbox" })
        ]
      })
      const local = gatewayOf({
        others: [
          tool({ name: "t" }, { executor: "sandbox" }),
          tool({ name: "r", readOnly: true }, { executor: "sandbox" }),
          tool({ name: "f" }, { executor: "function" })
        ],
        place: { ...placeOf(), isolation: "none" }
      })
      assert.strictEqual((yield* world.call("t", {}))._tag, "Done")
      assert.strictEqual((yield* local.call("t", {}))._tag, "Awaiting")
      assert.strictEqual(local.frames.last("ToolRequested").verdict.rule, "isolation.none")
      assert.strictEqual((yield* world.call("r", {}))._tag, "Done")
      assert.strictEqual((yield* local.call("r", {}))._tag, "Awaiting")
      assert.strictEqual(local.frames.last("ToolRequested").verdict.rule, "isolation.none")
      assert.strictEqual((yield* local.call("f", {}))._tag, "Done")
    })
  )
})

const placeOf = () => ({
  backend: "local",
  isolation: "namespaces" as const,
  exec: () => Effect.die("no"),
  shell: { run: () => Effect.die("no"), restart: Effect.void },
  mounts: [],
  workspace: "/workspace",
  spill: () => Effect.die("no"),
  putBlob: (bytes: Uint8Array, mediaType: string) =>
    Effect.succeed({ sha256: hash("sha256", bytes, "hex"), bytes: bytes.length, mediaType, preview: "" })
})

describe("A call that runs", () => {
  it.effect("is ended by force when its time and its grace are over, and is gone then", () =>
    Effect.gen(function* () {
      const { begun, counts, own } = waitingTool({ name: "t" })
      const { call, frames } = gatewayOf({ others: [{ ...own, timeoutMs: () => 10_000 }] })
      const running = yield* Effect.forkChild(call("t", {}))
      yield* begun.await
      yield* TestClock.adjust("14 seconds")
      assert.strictEqual(frames.all("ToolFinished").length, 0)
      yield* TestClock.adjust("1 second")
      const result = yield* Fiber.join(running)
      assert.strictEqual(result._tag === "Done" && result.outcome, "timed_out")
      assert.deepStrictEqual([counts.ended, frames.last("ToolFinished").durationMs], [1, 15_000])
    })
  )

  it.effect("ends as interrupted, with all of it gone, when the attempt is", () =>
    Effect.gen(function* () {
      const { begun, counts, own } = waitingTool({ name: "t" })
      const { call, frames } = gatewayOf({ others: [own] })
      const running = yield* Effect.forkChild(call("t", {}))
      yield* begun.await
      yield* Fiber.interrupt(running)
      assert.deepStrictEqual([counts.begun, counts.ended], [1, 1])
      assert.deepStrictEqual(frames.tags(), ["ToolRequested", "ToolStarted", "ToolFinished"])
      assert.match(textOf(frames.last("ToolFinished").content), /^The call was interrupted while it ran/)
      assert.isTrue(Exit.hasInterrupts(yield* Fiber.await(running)))
    })
  )

  it.effect("ends as interrupted without having begun, if it waited for the log or for a node", () =>
    Effect.gen(function* () {
      const { counts, own } = waitingTool({ name: "t" })
      const held = gatewayOf({ others: [own] })
      held.frames.hold()
      const atGate = yield* Effect.forkChild(held.call("t", {}))
      yield* held.frames.said("ToolStarted")
      yield* Fiber.interrupt(atGate)
      assert.strictEqual(held.frames.last("ToolFinished").outcome, "interrupted")
      const away = gatewayOf({ others: [own] })
      away.frames.loseContact()
      const waiting = yield* Effect.forkChild(away.call("t", {}))
      yield* away.frames.said("ToolRequested")
      yield* Fiber.interrupt(waiting)
      assert.deepStrictEqual(away.frames.tags(), ["ToolRequested", "ToolFinished"])
      assert.match(textOf(away.frames.last("ToolFinished").content), /before it began/)
      assert.strictEqual(counts.begun, 0)
    })
  )

  it.effect("says what went wrong, as the tool puts it, and nothing of what broke inside", () =>
    Effect.gen(function* () {
      const fails = tool(
        { name: "fails" },
        { run: () => new ToolFailure({ message: "no such file", details: { file: "NotFound" } }) }
      )
      const breaks = tool({ name: "breaks" }, { run: () => Effect.die(new Error("password is hunter2")) })
      const { call, frames } = gatewayOf({ others: [fails, breaks] })
      yield* call("fails", {})
      assert.deepInclude(frames.last("ToolFinished").details, { file: "NotFound" })
      const broken = yield* call("breaks", {})
      assert.strictEqual(broken._tag === "Done" && broken.outcome, "failed")
      assert.notInclude(JSON.stringify(frames.bodies), "hunter2")
    })
  )

  it.effect("is not repeated for whoever asks twice", () =>
    Effect.gen(function* () {
      const { begun, counts, goOn, own } = waitingTool({ name: "t" })
      const { call, frames } = gatewayOf({ others: [own] })
      const callId = newCallId()
      const first = yield* Effect.forkChild(call("t", {}, callId))
      yield* begun.await
      const second = yield* Effect.forkChild(call("t", {}, callId))
      goOn.openUnsafe()
      assert.deepStrictEqual(yield* Fiber.join(first), yield* Fiber.join(second))
      assert.deepStrictEqual([counts.begun, frames.all("ToolRequested").length], [1, 1])
    })
  )

  it.effect("shares the runner with a few others, and a file with none", () =>
    Effect.gen(function* () {
      const free = waitingTool({ name: "free" })
      const same = waitingTool({ name: "same" })
      const { call, frames } = gatewayOf({ others: [free.own, { ...same.own, changes: () => "file:/a" }] })
      const running = yield* Effect.forkChild(
        Effect.forEach(
          [...Array.from({ length: 5 }, () => "same"), ...Array.from({ length: 20 }, () => "free")],
          (name) => call(name, {}),
          {
            concurrency: "unbounded"
          }
        )
      )
      yield* frames.said("ToolStarted", 8)
      yield* TestClock.adjust("1 hour")
      assert.deepStrictEqual([frames.all("ToolStarted").length, same.counts.most, free.counts.most], [8, 1, 7])
      same.goOn.openUnsafe()
      free.goOn.openUnsafe()
      yield* Fiber.join(running)
      assert.strictEqual(same.counts.most, 1)
      assert.strictEqual(frames.all("ToolFinished").length, 25)
    })
  )

  it.effect("has its output scrubbed, and spilled where an event can't carry it", () =>
    Effect.gen(function* () {
      const secret = "sk-very-secret"
      const image = {
        type: "image",
        source: { type: "base64", mediaType: "image/png", data: "A".repeat(100_000) }
      } as const
      const big = tool(
        { name: "big" },
        {
          run: () =>
            Effect.succeed({
              content: [
                { type: "text", text: `${secret} ${"x".repeat(70_000)}` },
                { type: "text", text: `small ${secret}` },
                image
              ],
              details: { echoed: `--key=${secret}` }
            })
        }
      )
      const scrubber = new Scrubber()
      scrubber.add(secret)
      const { call, frames } = gatewayOf({ others: [big], scrubber })
      yield* call("big", {})
      const { content, details } = frames.last("ToolFinished")
      assert.deepStrictEqual(
        content.map(({ type }) => type),
        ["blob", "text", "image"]
      )
      assert.strictEqual(content[2]?.type === "image" && content[2].source.type, "blob")
      assert.strictEqual(details?.["echoed"], "--key=[secret]")
      assert.notInclude(JSON.stringify(frames.bodies), secret)
      assert.isBelow(JSON.stringify(frames.bodies).length, 5_000)
    })
  )

  it.effect("ends the attempt if the journal is full", () =>
    Effect.gen(function* () {
      const { counts, goOn, own } = waitingTool({ name: "t" })
      goOn.openUnsafe()
      const { call, frames } = gatewayOf({ others: [own] })
      frames.fillUp(1)
      assert.strictEqual((yield* Effect.flip(call("t", {})))._tag, "JournalFull")
      assert.strictEqual(counts.begun, 0)
    })
  )
})

describe("A question to a person", () => {
  const asking = () =>
    gatewayOf({
      agentTools: [{ type: "troupe_toolset", configs: [{ name: "ask_user" }] }],
      policies: [{ type: "always_ask" }]
    })

  it.effect("is awaited, and needs nobody's leave to be asked", () =>
    Effect.gen(function* () {
      const { call, frames } = asking()
      assert.strictEqual((yield* call("ask_user", { question: "Which?", expires_in_seconds: 60 }))._tag, "Awaiting")
      assert.deepStrictEqual(frames.tags(), ["ToolRequested"])
      const { awaits, executor, expiresAt, question, verdict } = frames.last("ToolRequested")
      assert.deepStrictEqual([awaits, executor, verdict.permission], ["answer", "platform", "allow"])
      assert.deepStrictEqual(question, { kind: "text", text: "Which?" })
      assert.strictEqual(expiresAt, 60_000)
    })
  )

  it.effect("is a choice where there are options", () =>
    Effect.gen(function* () {
      const { call, frames } = asking()
      const options = [{ label: "red" }, { label: "blue", description: "like the sky" }]
      yield* call("ask_user", { question: "Which?", options })
      yield* call("ask_user", { question: "Which?", options, kind: "multi_choice", allow_other: true })
      assert.deepStrictEqual(
        frames.all("ToolRequested").map(({ expiresAt, question }) => [question, expiresAt]),
        [
          [{ kind: "choice", text: "Which?", options, allowOther: false }, null],
          [{ kind: "multi_choice", text: "Which?", options, allowOther: true }, null]
        ]
      )
    })
  )

  it.effect("that can't be answered is not asked, and the model reads why", () =>
    Effect.gen(function* () {
      const { call, frames } = asking()
      for (const [input, why] of [
        [{ question: "?", kind: "choice" }, "needs `options`"],
        [{ question: "?", kind: "text", options: [{ label: "a" }] }, "has no `options`"],
        [{ question: "?", options: [{ label: "a" }, { label: "a" }] }, "have one label"],
        [{ question: "" }, "question"]
      ] as const) {
        const result = yield* call("ask_user", input as Json)
        assert.include(result._tag === "Done" ? textOf(result.content) : "", why)
        assert.deepStrictEqual(
          [frames.last("ToolRequested").awaits, frames.last("ToolFinished").outcome],
          ["nothing", "denied"]
        )
      }
    })
  )

  it("is there only for agents that are given it", () => {
    const named = (...agentTools: ReadonlyArray<Readonly<Record<string, Json>>>) =>
      gatewayOf({ agentTools }).gateway.catalog.map(({ name }) => name)
    assert.notInclude(named(toolset()), "ask_user")
    assert.deepStrictEqual(named({ type: "troupe_toolset" }), [])
    assert.deepStrictEqual(named({ type: "troupe_toolset", default_config: { enabled: true } }), [
      "ask_user",
      "update_plan"
    ])
    assert.deepStrictEqual(named({ type: "troupe_toolset", configs: [{ name: "ask_user", enabled: false }] }), [])
  })
})

describe("A plan", () => {
  const given = { agentTools: [{ type: "troupe_toolset", configs: [{ name: "update_plan" }] }] }
  const plan = [
    { step: "look", status: "completed" },
    { step: "act", status: "pending" }
  ]

  it.effect("is in the log while its call runs, without waiting for the log", () =>
    Effect.gen(function* () {
      const { call, frames } = gatewayOf(given)
      frames.hold()
      const result = yield* call("update_plan", { plan })
      assert.deepStrictEqual(frames.tags(), ["ToolRequested", "ToolStarted", "Noted", "ToolFinished"])
      assert.deepStrictEqual(frames.last("Noted").event, { _tag: "PlanUpdated", threadId, items: plan })
      assert.strictEqual(result._tag === "Done" ? textOf(result.content) : "", "People see it: 1 of 2 steps are done.")
    })
  )

  it.effect("that is none, or that a policy forbids, is told to nobody", () =>
    Effect.gen(function* () {
      const { call, frames } = gatewayOf(given)
      const wrong = [{ plan: [{ step: "look", status: "begun" }] }, { plan: [{ step: "" }] }, {}, { plan: [plan] }]
      for (const input of wrong) yield* call("update_plan", input as Json)
      const policies = [{ type: "rules", rules: [{ tool: "update_plan", then: "deny" }] }]
      const forbidden = gatewayOf({ ...given, policies })
      yield* forbidden.call("update_plan", { plan })
      assert.deepStrictEqual([...frames.all("Noted"), ...forbidden.frames.all("Noted")], [])
      assert.lengthOf(frames.all("ToolFinished"), wrong.length)
    })
  )
})

describe("A call that a policy leaves to a model", () => {
  const auto = tool({ name: "t" }, { policy: { type: "auto" } })
  const judged = (judgement: Judgement | null) =>
    gatewayOf({ others: [auto], classifier: () => Effect.succeed(judgement) })

  it.effect("runs if the model finds it harmless, and is denied if it finds it harmful", () =>
    Effect.gen(function* () {
      const harmless = judged({ risk: "low", reason: "it lists files" })
      assert.strictEqual((yield* harmless.call("t", {}))._tag, "Done")
      assert.deepStrictEqual(harmless.frames.last("ToolRequested").verdict, {
        permission: "allow",
        rule: "tools.t.auto.low_risk",
        reason: "it lists files"
      })
      const harmful = judged({ risk: "high", reason: "it sends keys away" })
      const result = yield* harmful.call("t", {})
      assert.strictEqual(result._tag === "Done" && result.outcome, "denied")
      assert.strictEqual(harmful.frames.last("ToolRequested").verdict.rule, "tools.t.auto.high_risk")
      assert.notInclude(harmful.frames.tags(), "ToolStarted")
    })
  )

  it.effect("is asked for in doubt, without an answer, and where there is no such model", () =>
    Effect.gen(function* () {
      for (const [world, rule] of [
        [judged({ risk: "unclear", reason: null }), "indeterminate"],
        [judged(null), "indeterminate"],
        [gatewayOf({ others: [auto] }), "unconfigured"]
      ] as const) {
        assert.strictEqual((yield* world.call("t", {}))._tag, "Awaiting")
        assert.strictEqual(world.frames.last("ToolRequested").verdict.rule, `tools.t.auto.${rule}`)
      }
    })
  )

  it.effect("is not shown to it where another policy has spoken", () =>
    Effect.gen(function* () {
      const classifier = () => Effect.die("nobody asks")
      const { call, frames } = gatewayOf({ others: [auto], classifier, preset: "review" })
      assert.strictEqual((yield* call("t", {}))._tag, "Awaiting")
      assert.strictEqual(frames.last("ToolRequested").verdict.rule, "turn.preset.review")
    })
  )
})

describe("Policies of all layers", () => {
  it.effect("hold for calls, whatever the agent allows, and name the rule", () =>
    Effect.gen(function* () {
      const deny = { type: "rules", rules: [{ tool: "t", then: "deny", reason: "not here" }] }
      for (const layer of ["server", "workspace"] as const) {
        const { call, frames } = gatewayOf({
          others: [tool({ name: "t" })],
          policies: [{ type: "always_allow" }],
          layers: { [layer]: [deny] }
        })
        const result = yield* call("t", {})
        assert.strictEqual(
          result._tag === "Done" && textOf(result.content),
          `The call was denied by ${layer}.policies[0].rules[0]: not here.`
        )
        assert.strictEqual(frames.last("ToolRequested").verdict.rule, `${layer}.policies[0].rules[0]`)
      }
      const { call, frames } = gatewayOf({
        others: [tool({ name: "t" })],
        layers: { session: [{ type: "preset", preset: "read_only" }] }
      })
      yield* call("t", {})
      assert.strictEqual(frames.last("ToolRequested").verdict.rule, "session.policies[0].preset.read_only.no_writes")
    })
  )
})

describe("A permission for the session", () => {
  it.effect("that is given while the attempt runs is heard", () =>
    Effect.gen(function* () {
      const granted = new Set<string>()
      const asks = tool({ name: "t" }, { policy: { type: "always_ask" } })
      const { call, frames } = gatewayOf({ others: [asks], isGranted: (key) => granted.has(key) })
      assert.strictEqual((yield* call("t", {}))._tag, "Awaiting")
      granted.add("function:t")
      assert.strictEqual((yield* call("t", {}))._tag, "Done")
      assert.deepStrictEqual(
        frames.all("ToolRequested").map(({ awaits }) => awaits),
        ["confirmation", "nothing"]
      )
    })
  )
})

describe("A call of an earlier attempt", () => {
  const callId = newCallId()
  const open = (more: Partial<Call> = {}): Call => ({
    callId,
    name: "t",
    server: null,
    executor: "function",
    readOnly: false,
    idempotent: false,
    awaits: "nothing",
    question: null,
    status: "approved",
    message: null,
    inputDigest: digest({ a: 1 }),
    editedInput: null,
    expiresAt: null,
    ...more
  })
  const history = [
    {
      type: "tool_call",
      callId,
      requestId: null,
      providerCallId: "p",
      name: "t",
      server: null,
      input: { a: 1 }
    } as const
  ]
  const resumed = (call: Call, own: Parameters<typeof tool>[1] = {}) => {
    const seen: Array<Json> = []
    const others = [
      tool(
        { name: "t" },
        {
          policy: { type: "always_ask" },
          run: (input) => Effect.sync(() => (seen.push(input), { content: [] })),
          ...own
        }
      )
    ]
    return { ...gatewayOf({ others, calls: [call], history }), seen }
  }

  it.effect("runs with the arguments that were approved, once", () =>
    Effect.gen(function* () {
      const { frames, gateway, seen } = resumed(open())
      yield* gateway.resume
      yield* gateway.resume
      assert.deepStrictEqual(seen, [{ a: 1 }])
      assert.deepStrictEqual(frames.tags(), ["ToolStarted", "ToolFinished"])
    })
  )

  it.effect("runs with other arguments only if those are the ones that were approved", () =>
    Effect.gen(function* () {
      const edited = resumed(open({ editedInput: { a: 2 }, inputDigest: digest({ a: 2 }) }))
      yield* edited.gateway.resume
      assert.deepStrictEqual(edited.seen, [{ a: 2 }])
      const swapped = resumed(open({ editedInput: { a: 3 }, inputDigest: digest({ a: 2 }) }))
      yield* swapped.gateway.resume
      assert.deepStrictEqual(swapped.seen, [])
      assert.strictEqual(swapped.frames.last("ToolFinished").outcome, "denied")
      const lost = resumed(open({ callId: newCallId() }))
      yield* lost.gateway.resume
      assert.strictEqual(lost.frames.last("ToolFinished").outcome, "denied")
    })
  )

  it.effect("does not run if the policy forbids it, whoever approved it", () =>
    Effect.gen(function* () {
      const rules = [{ tool: "t", when: { a: "2" }, then: "deny" }]
      const { frames, gateway, seen } = resumed(open({ editedInput: { a: 2 }, inputDigest: digest({ a: 2 }) }), {
        policy: { type: "rules", rules }
      })
      yield* gateway.resume
      assert.deepStrictEqual([seen.length, frames.last("ToolFinished").outcome], [0, "denied"])
    })
  )

  it.effect("is not started again if it was started: its outcome is unknown, but for what may be repeated", () =>
    Effect.gen(function* () {
      const started = resumed(open({ status: "started" }))
      yield* started.gateway.resume
      assert.deepStrictEqual([started.seen.length, started.frames.last("ToolFinished").outcome], [0, "unknown"])
      const repeatable = resumed(open({ status: "started", idempotent: true }))
      yield* repeatable.gateway.resume
      assert.deepStrictEqual([repeatable.seen.length, repeatable.frames.tags()], [1, ["ToolFinished"]])
    })
  )

  it.effect("goes on waiting if somebody still owes it something", () =>
    Effect.gen(function* () {
      const { frames, gateway } = resumed(open({ status: "requested", awaits: "confirmation" }))
      assert.deepStrictEqual(yield* gateway.resume, [{ _tag: "Awaiting", callId }])
      assert.deepStrictEqual(frames.tags(), [])
    })
  )
})

describe("The catalog", () => {
  it.effect("names clashes and what is too much, and gives the rest", () =>
    Effect.gen(function* () {
      const clash = gatewayOf({ others: [tool({ name: "bash", server: "github" })] })
      assert.deepStrictEqual(
        clash.problems.map(({ at, code }) => [at, code]),
        [["bash", "duplicate"]]
      )
      const many = Array.from({ length: 300 }, (_, index) => tool({ name: `tool_${index}` }))
      const full = gatewayOf({ others: many })
      assert.deepStrictEqual([full.gateway.catalog.length, full.problems.length], [256, 51])
      const unknown = yield* full.call("nothing", {})
      assert.isBelow(unknown._tag === "Done" ? textOf(unknown.content).length : 0, 1_000)
    })
  )

  it("has web_search only where somebody searches", () => {
    const names = gatewayOf({}).gateway.catalog.map(({ name }) => name)
    assert.deepStrictEqual(names, ["bash", "read", "write", "edit", "glob", "grep", "web_fetch"])
  })

  it("is the turn's, where the turn brings one", () => {
    const { gateway } = gatewayOf({ agentTools: [toolset({ default_config: { enabled: false } })] })
    assert.deepStrictEqual(gateway.catalog, [])
  })
})

/** What may happen to a call, in any order. */
const Trouble = Schema.Struct({
  kind: Schema.Literals(["fine", "fails", "breaks", "unknown", "wrong", "asks", "denied"]),
  interruptAfter: Schema.Literals(["never", "ToolRequested", "ToolStarted"]),
  gate: Schema.Literals(["open", "held"])
})

describe("Whatever happens", () => {
  it.effect.prop(
    "every call that was asked for has exactly one outcome, or waits for somebody",
    [Schema.Array(Trouble)],
    ([troubles]) =>
      Effect.gen(function* () {
        const schema = { type: "object", properties: { n: { type: "integer" } } }
        const others = [
          tool({ name: "fine", inputSchema: schema }),
          tool({ name: "fails" }, { run: () => new ToolFailure({ message: "no" }) }),
          tool({ name: "breaks" }, { run: () => Effect.die("broken") }),
          tool({ name: "asks" }, { policy: { type: "always_ask" } }),
          tool({ name: "denied" }, { policy: { type: "rules", rules: [{ tool: "*", then: "deny" }] } })
        ]
        const { call, frames } = gatewayOf({ others })
        const ids: Array<EventId> = []
        for (const { gate, interruptAfter, kind } of troubles.slice(0, 12)) {
          if (gate === "held") frames.hold()
          const callId = newCallId()
          ids.push(callId)
          const before = interruptAfter === "never" ? 0 : frames.all(interruptAfter).length
          const input = kind === "wrong" ? { n: "x" } : {}
          const running = yield* Effect.forkChild(call(kind === "wrong" ? "fine" : kind, input, callId))
          if (interruptAfter === "never") frames.acknowledge()
          else {
            yield* Effect.raceFirst(frames.said(interruptAfter, before + 1), Fiber.await(running))
            yield* Fiber.interrupt(running)
          }
          yield* Fiber.await(running)
          frames.acknowledge()
        }
        for (const callId of ids) {
          const of = (tag: "ToolRequested" | "ToolStarted" | "ToolFinished") =>
            frames.all(tag).filter((body) => body.callId === callId)
          const [requested] = of("ToolRequested")
          if (requested === undefined) continue
          assert.strictEqual(of("ToolRequested").length, 1)
          assert.isAtMost(of("ToolStarted").length, 1)
          const awaits = requested._tag === "ToolRequested" && requested.awaits !== "nothing"
          assert.strictEqual(of("ToolFinished").length, awaits ? 0 : 1)
        }
      })
  )
})
