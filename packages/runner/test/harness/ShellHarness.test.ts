import { assert, describe, it } from "@effect/vitest"
import { type EventId, fromUuid, type ModelRequestId, TurnId } from "@troupe/domain/Ids"
import type { JsonObject } from "@troupe/domain/Json"
import { text } from "@troupe/domain/session/Content"
import type { HistoryItem } from "@troupe/domain/session/HistoryItem"
import type { Call, Message } from "@troupe/domain/session/SessionState"
import { noTotals } from "@troupe/domain/session/Usage"
import { Effect, Fiber, Result } from "effect"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { HarnessRun } from "../../src/harness/Harness.ts"
import { Spending } from "../../src/harness/Spending.ts"
import { shellHarness } from "../../src/harness/shell/ShellHarness.ts"
import { shellScript } from "../../src/harness/shell/ShellInput.ts"
import { local } from "../../src/sandbox/Local.ts"
import { gatewayOf, newCallId, placeOn, type PlaceWorld, textOf, toolset, trusting } from "../tools/world.ts"

const slow = 60_000
const small = (n: number) => `00000000-0000-7000-8000-${n.toString(16).padStart(12, "0")}`
const turnId = (n = 1) => TurnId.make(fromUuid("turn", small(n)))
const inputId = (n: number) => fromUuid("sevt", small(n)) as EventId

const user = (n: number, content: string): HistoryItem => ({
  type: "user",
  inputId: inputId(n),
  from: null,
  content: text(content)
})

const harness = shellHarness({
  probe: Effect.succeed({ version: "1", usable: true, notes: [] }),
  mintBlockId: Effect.sync(newCallId),
  mintRequestId: Effect.succeed(fromUuid("mreq", small(1)) as ModelRequestId)
})

const withPeople = [toolset(), { type: "troupe_toolset", configs: [{ name: "ask_user" }] }]

interface Given {
  readonly history: ReadonlyArray<HistoryItem>
  readonly calls?: ReadonlyArray<Call>
  readonly policies?: Parameters<typeof gatewayOf>[0]["policies"]
  readonly tools?: ReadonlyArray<JsonObject>
  readonly steers?: Array<Message>
  readonly stop?: () => "paused" | "budget" | null
}

/** The turn on a place. What its frames say becomes what the next attempt is told. */
const attempt = (
  world: PlaceWorld,
  { calls = [], history, policies = trusting, steers = [], stop = () => null, tools = withPeople }: Given
) => {
  const { frames, gateway } = gatewayOf({ place: world.place, policies, calls, history, agentTools: tools })
  const run = {
    request: { turnId: turnId(), history } as unknown as HarnessRun["request"],
    frames,
    spending: new Spending({
      request: { budget: [], used: { session: noTotals, turn: noTotals }, calls },
      now: () => 0
    }),
    inbox: { takeSteers: Effect.sync(() => steers.splice(0)), stop: Effect.sync(stop), stopped: Effect.never },
    tools: gateway,
    blob: ({ sha256 }) => Effect.succeed(world.blobs.get(sha256) ?? null),
    secret: () => Effect.succeed(null)
  } satisfies HarnessRun
  const after = (): ReadonlyArray<HistoryItem> => [
    ...history,
    ...frames.bodies.flatMap((body): ReadonlyArray<HistoryItem> => {
      if (body._tag === "ToolRequested") {
        const { callId, input, name, providerCallId, requestId, server } = body
        return [{ type: "tool_call", callId, requestId, providerCallId, name, server, input }]
      }
      if (body._tag !== "ToolFinished") return []
      const { callId, content, details, isError, outcome } = body
      const providerCallId = frames.all("ToolRequested").find((one) => one.callId === callId)!.providerCallId
      const code = details?.["exitCode"]
      const exitCode = typeof code === "number" ? { exitCode: code } : {}
      return [{ type: "tool_result", callId, providerCallId, outcome, content, isError, ...exitCode }]
    })
  ]
  return { end: harness.run(run), frames, after }
}

const commands = (...list: ReadonlyArray<object>) => JSON.stringify({ commands: list })

describe("The shell harness", () => {
  it.live(
    "runs a message as a script, and says how it went",
    () =>
      Effect.gen(function* () {
        const world = yield* placeOn(local())
        const { end, frames } = attempt(world, { history: [user(1, "echo hi > made\nls")] })
        assert.deepStrictEqual(yield* end, {
          _tag: "Completed",
          stop: "end_turn",
          details: { commands: [{ run: "echo hi > made …", outcome: "succeeded", exitCode: 0 }], failed: 0 }
        })
        assert.strictEqual(readFileSync(join(world.workspace, "made"), "utf8"), "hi\n")
        assert.deepStrictEqual(frames.tags(), [
          "ToolRequested",
          "ToolStarted",
          "ToolFinished",
          "ModelRequestStarted",
          "MessageBlock",
          "ModelRequestEnded"
        ])
        assert.strictEqual(textOf(frames.last("MessageBlock").content), "exit 0: echo hi > made …")
        assert.strictEqual(frames.last("ModelRequestEnded").usage.costMicroUsd, 0)
      }),
    slow
  )

  it.live(
    "gives each command what is its own, and stops at the first that fails",
    () =>
      Effect.gen(function* () {
        const world = yield* placeOn(local())
        const list = commands(
          { run: "mkdir sub && A=kept" },
          { run: 'pwd; echo "$B it\'s"; cat; exit 3', cwd: "sub", env: { B: "it's $HOME" }, stdin: "in'put" },
          { run: "touch never" }
        )
        const { end, frames } = attempt(world, { history: [user(1, list)] })
        yield* end
        assert.strictEqual(
          textOf(frames.last("ToolFinished").content),
          `${world.workspace}/sub\nit's $HOME it's\nin'put\n[Exit code 3]`
        )
        assert.match(
          textOf(frames.last("MessageBlock").content),
          /^exit 0: mkdir sub .*\nexit 3: pwd.*\nskipped: touch never$/
        )
        assert.isFalse(existsSync(join(world.workspace, "never")))
        const on = JSON.stringify({ commands: [{ run: "false" }, { run: 'echo "[$A]"' }], stopOnFailure: false })
        const second = attempt(world, { history: [user(2, on)] })
        yield* second.end
        assert.strictEqual(textOf(second.frames.last("ToolFinished").content), "[kept]\n")
      }),
    slow
  )

  it.live(
    "ends a command that takes longer than it may",
    () =>
      Effect.gen(function* () {
        const world = yield* placeOn(local())
        const list = commands({ run: "echo begun; sleep 1000", timeoutMs: 1_500 }, { run: "touch never" })
        const { end, frames } = attempt(world, { history: [user(1, list)] })
        const ended = yield* end
        assert.deepStrictEqual(ended._tag === "Completed" && ended.details?.["commands"], [
          { run: "echo begun; sleep 1000", outcome: "timed_out", exitCode: null },
          { run: "touch never", outcome: "skipped", exitCode: null }
        ])
        assert.match(textOf(frames.last("ToolFinished").content), /^begun\n\[Killed after 1500 ms/)
      }),
    slow
  )

  it.live(
    "replies to a program that asks, and then has no more to say",
    () =>
      Effect.gen(function* () {
        const world = yield* placeOn(local())
        const ask = 'printf "Name? "; read -r name; printf "Sure, %s? " "$name" >&2; read -r sure; echo "$sure"'
        const list = commands(
          {
            run: `${ask}; read -r more || echo over; exit 3`,
            replies: [
              { prompt: "Name?", reply: "Ada's" },
              { prompt: "Sure, Ada's?", reply: "yes" }
            ]
          },
          { run: "true", replies: [{ prompt: "never", reply: "asked" }] },
          { run: "exec 0<&-; printf 'a? '", replies: [{ prompt: "a?", reply: "heard by nobody" }] }
        )
        const { end, frames } = attempt(world, { history: [user(1, list.replace("{", '{"stopOnFailure":false,'))] })
        const ended = yield* end
        const exits = (ended._tag === "Completed" ? ended.details?.["commands"] : []) as ReadonlyArray<{
          exitCode: number
        }>
        assert.deepStrictEqual(
          exits.map(({ exitCode }) => exitCode),
          [3, 0, 0]
        )
        assert.deepStrictEqual(
          frames.all("ToolFinished").map(({ content }) => textOf(content)),
          ["Name? Sure, Ada's? yes\nover\n[Exit code 3]", "(no output)", "a? "]
        )
      }),
    slow
  )

  it.live(
    "has a person asked before the command that wants to know, and tells it what was said",
    () =>
      Effect.gen(function* () {
        const world = yield* placeOn(local())
        const list = commands(
          { run: "echo plan" },
          {
            run: 'printf "Go on? "; read -r go; printf "Who? "; read -r who; echo "$go by $who"; exit 3',
            replies: [
              { prompt: "Go on?", ask: "Roll it out?", options: ["yes", "no"] },
              { prompt: "Who?", ask: "Who says so?" }
            ]
          }
        )
        const first = attempt(world, { history: [user(1, list)] })
        assert.deepStrictEqual(yield* first.end, { _tag: "Suspended", reason: "requires_action" })
        const asked = first.frames.all("ToolRequested").slice(1)
        assert.deepStrictEqual(
          asked.map(({ question }) => question),
          [
            { kind: "choice", text: "Roll it out?", options: [{ label: "yes" }, { label: "no" }], allowOther: false },
            { kind: "text", text: "Who says so?" }
          ]
        )
        const answered = asked.map(({ callId, providerCallId }, index): HistoryItem => ({
          ...{ type: "tool_result", callId, providerCallId, outcome: "succeeded", isError: false },
          content: text(["yes", "it's Ada"][index]!)
        }))
        const second = attempt(world, { history: [...first.after(), ...answered] })
        assert.strictEqual((yield* second.end)._tag, "Completed")
        assert.strictEqual(
          textOf(second.frames.last("ToolFinished").content),
          "Go on? Who? yes by it's Ada\n[Exit code 3]"
        )
        assert.match(textOf(second.frames.last("MessageBlock").content), /^exit 0: echo plan\nexit 3: printf/)
      }),
    slow
  )

  it.live(
    "does not begin a command where nobody can be asked what it wants to know",
    () =>
      Effect.gen(function* () {
        const world = yield* placeOn(local())
        const run = { run: "touch never; read -r a", replies: [{ prompt: "a", ask: "What?" }] }
        const { end, frames } = attempt(world, { history: [user(1, commands(run))], tools: [toolset()] })
        yield* end
        assert.match(textOf(frames.last("ToolFinished").content), /no tool "ask_user"/)
        assert.match(textOf(frames.last("MessageBlock").content), /^denied: touch never/)
        assert.isFalse(existsSync(join(world.workspace, "never")))
      }),
    slow
  )

  it.live(
    "goes on where an attempt before it was lost, and repeats nothing",
    () =>
      Effect.gen(function* () {
        const world = yield* placeOn(local())
        const runs = ["echo one >> log", "echo two >> log; exit_with() { return 7; }; exit_with", "echo three >> log"]
        const list = JSON.stringify({ commands: runs.map((run) => ({ run })), stopOnFailure: false })
        let asked = 0
        const first = attempt(world, {
          history: [user(9, "echo not mine >> log"), user(1, list)],
          stop: () => (++asked > 2 ? "paused" : null)
        })
        assert.deepStrictEqual(yield* first.end, { _tag: "Suspended", reason: "paused" })
        const second = attempt(world, { history: first.after() })
        yield* second.end
        assert.strictEqual(readFileSync(join(world.workspace, "log"), "utf8"), "one\ntwo\nthree\n")
        assert.strictEqual(second.frames.all("ToolRequested").length, 1)
        assert.match(textOf(second.frames.last("MessageBlock").content), /^exit 0: .*\nexit 7: .*\nexit 0: .*$/)
      }),
    slow
  )

  it.live(
    "waits for whoever must allow a command, and runs what was allowed",
    () =>
      Effect.gen(function* () {
        const world = yield* placeOn(local())
        const first = attempt(world, {
          history: [user(1, commands({ run: "echo one >> log" }, { run: "echo two >> log" }))],
          policies: []
        })
        assert.deepStrictEqual(yield* first.end, { _tag: "Suspended", reason: "requires_action" })
        const { callId, executor, idempotent, inputDigest, name, readOnly, server } = first.frames.last("ToolRequested")
        const call: Call = {
          ...{ callId, executor, idempotent, inputDigest, name, readOnly, server },
          ...{
            awaits: "nothing",
            question: null,
            status: "approved",
            message: null,
            editedInput: null,
            expiresAt: null
          }
        }
        const second = attempt(world, { history: first.after(), calls: [call], policies: trusting })
        assert.strictEqual((yield* second.end)._tag, "Completed")
        assert.strictEqual(readFileSync(join(world.workspace, "log"), "utf8"), "one\ntwo\n")
      }),
    slow
  )

  it.live(
    "runs what is steered in after what it has",
    () =>
      Effect.gen(function* () {
        const world = yield* placeOn(local())
        const steer = { inputId: inputId(2), turnId: turnId(2), content: text("echo steered >> log"), overrides: {} }
        const given = {
          history: [user(1, commands({ run: "echo one >> log" }, { run: "echo two >> log" }))],
          steers: [steer]
        }
        yield* attempt(world, given).end
        assert.strictEqual(readFileSync(join(world.workspace, "log"), "utf8"), "one\ntwo\nsteered\n")
      }),
    slow
  )

  it.live(
    "is interrupted in the middle of a command",
    () =>
      Effect.gen(function* () {
        const world = yield* placeOn(local())
        const { end, frames } = attempt(world, { history: [user(1, "touch begun; sleep 1000; touch after")] })
        const running = yield* Effect.forkChild(end)
        while (!existsSync(join(world.workspace, "begun"))) yield* Effect.sleep(10)
        yield* Fiber.interrupt(running)
        assert.deepStrictEqual(frames.tags(), ["ToolRequested", "ToolStarted", "ToolFinished"])
        assert.strictEqual(frames.last("ToolFinished").outcome, "interrupted")
      }),
    slow
  )

  it.live(
    "runs a script that is too long for the log",
    () =>
      Effect.gen(function* () {
        const world = yield* placeOn(local())
        const blob = yield* world.place.putBlob(Buffer.from(`echo long\n${"# \n".repeat(30_000)}`), "text/plain")
        const item: HistoryItem = { type: "user", inputId: inputId(1), from: null, content: [{ type: "blob", blob }] }
        const { end, frames } = attempt(world, { history: [item] })
        yield* end
        assert.strictEqual(textOf(frames.last("ToolFinished").content), "long\n")
        world.blobs.clear()
        assert.strictEqual((yield* attempt(world, { history: [item] }).end)._tag, "Failed")
      }),
    slow
  )

  it.live(
    "fails with a word that helps where it can't begin",
    () =>
      Effect.gen(function* () {
        const world = yield* placeOn(local())
        writeFileSync(join(world.workspace, "x"), "")
        const wrong = yield* attempt(world, { history: [user(1, commands({ run: "ls", dir: "x" }))] }).end
        assert.deepInclude(wrong, { _tag: "Failed", retryable: false })
        assert.strictEqual(wrong._tag === "Failed" && wrong.error.code, "shell_input_invalid")
      }),
    slow
  )
})

describe("What a message asks to be run", () => {
  const parsed = (message: string) =>
    Result.match(shellScript(text(message)), {
      onFailure: () => "refused",
      onSuccess: ({ commands: list }) => list.map(({ run }) => run)
    })

  it("is a script, or a list of commands where it is an object with commands", () => {
    assert.deepStrictEqual(parsed("  ls -l\n"), ["ls -l"])
    assert.deepStrictEqual(parsed("{ echo a; }"), ["{ echo a; }"])
    assert.deepStrictEqual(parsed('{"not": "commands"}'), ['{"not": "commands"}'])
    assert.deepStrictEqual(parsed(commands({ run: "a" }, { run: "b" })), ["a", "b"])
  })

  it("is refused where it can't be meant", () => {
    for (const wrong of [
      "",
      " \n",
      '{"commands": []}',
      '{"commands": [{"run": ""}]}',
      '{"commands": [{"run": "a", "env": {"A B": "x"}}]}',
      '{"commands": [{"run": "a", "stdin": "x", "replies": []}]}',
      '{"commands": [{"run": "a", "replies": [{"prompt": "", "reply": "x"}]}]}',
      '{"commands": "ls"}'
    ]) {
      assert.strictEqual(parsed(wrong), "refused", wrong)
    }
    assert.isTrue(Result.isFailure(shellScript([{ type: "redacted" }])))
  })
})
