import { assert } from "vitest"
import { copyFileSync, mkdtempSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { SessionId, TurnId } from "@troupe/domain/Ids"
import type { EventOf } from "@troupe/domain/session/SessionEvent"
import { requires } from "../../test/requires.ts"
import { full, holds } from "./holds.ts"
import type { Trial } from "./Trial.ts"
import { eventually, only, sleep } from "./waiting.ts"

const said = (runner: { readonly output: ReadonlyArray<string> }, words: string): true | undefined =>
  runner.output.join("").includes(words) ? true : undefined

/** What is in the working copy of a session that goes on from where the turn ended, and who has it. */
const leftTo = async (trial: Trial, session: SessionId, turn: TurnId) => {
  const fork = await trial.fork(session, turn)
  await trial.say(fork, "run: cat kept.txt; ls; echo its own >> kept.txt")
  const events = await trial.ended(fork)
  const [call] = only(events, "ToolFinished")
  return {
    listed: call!.content.flatMap((block) => (block.type === "text" ? block.text.trim().split("\n") : [])),
    runnerId: only(events, "SandboxCreated")[0]!.runnerId
  }
}

const connections = (trial: Trial) =>
  trial.system.query<{ readonly name: string; readonly generation: number; readonly node: string | null }>(
    "SELECT name, generation::int AS generation, node FROM runners ORDER BY name"
  )

requires(
  "postgres",
  "bubblewrap",
  "root"
)("the link of a runner", () => {
  holds("is cut, a result is finished meanwhile, and is in the log when it is back", async (trial) => {
    const runner = await trial.runner()
    const session = await trial.open()
    const { line, token } = trial.effect("meanwhile", "sleep 2; echo finished meanwhile")
    await trial.say(session, line, trial.effect("next").line)
    await trial.happened(token)
    trial.door(runner).shut()
    await sleep(full ? 30_000 : 8_000)
    assert.strictEqual(only(await trial.log(session), "ToolFinished").length, 0)
    trial.door(runner).heal()
    const events = await trial.ended(session)
    assert.strictEqual(only(events, "AttemptStarted").length, 1)
    assert.deepStrictEqual(
      only(events, "ToolFinished").map(({ outcome }) => outcome),
      ["succeeded", "succeeded"]
    )
  })

  holds("is made anew, and the end of the old socket changes nothing", async (trial) => {
    const runner = await trial.runner()
    const session = await trial.open()
    const { line, token } = trial.effect("anew", "sleep 6; echo done")
    await trial.say(session, line, trial.effect("next").line)
    await trial.happened(token)
    const [before] = await connections(trial)
    const endOld = trial.door(runner).cutClients()
    const after = await eventually("the new one is registered", async () => {
      const [now] = await connections(trial)
      return now!.generation > before!.generation && now!.node !== null ? now : undefined
    })
    endOld()
    const events = await trial.ended(session)
    assert.strictEqual(only(events, "AttemptStarted").length, 1)
    const [last] = await connections(trial)
    assert.deepStrictEqual(last, after)
  })

  holds(
    "is the newest of one identity: who copied a credential takes the place, and doubles nothing",
    async (trial) => {
      const runner = await trial.runner()
      const session = await trial.open()
      const first = trial.effect("first")
      await trial.say(session, first.line)
      await trial.ended(session)
      const state = mkdtempSync(join(tmpdir(), "troupe-e2e-copy-"))
      copyFileSync(join(runner.state, "identity.json"), join(state, "identity.json"))
      const copy = await trial.runner({ state, name: "copy" })
      await eventually("the first is told", () => said(runner, "4409"))
      const other = await trial.open()
      const second = trial.effect("second", "sleep 1; echo done")
      await trial.say(other, second.line)
      await trial.settle(other)
      // The two take the place from each other, slower each time, until an operator stops one of them.
      assert.strictEqual(await copy.stop("SIGTERM"), 0)
      if (!full) return
      await trial.say(session, trial.effect("third").line)
      await trial.settle(session)
    }
  )

  holds(
    "ends within seconds when its token is revoked: the turn waits, says why, and another runner goes on from the checkpoint; forks begin with theirs on either",
    async (trial) => {
      const first = await trial.runner({ name: "first" })
      const session = await trial.open()
      await trial.say(session, "run: echo kept > kept.txt")
      const begun = await trial.ended(session)
      const [{ turnId }] = only(begun, "TurnCompleted") as [EventOf<"TurnCompleted">]
      await trial.say(session, "run: echo later >> kept.txt; echo later > later.txt")
      await trial.ended(session, 2)
      const beside = await leftTo(trial, session, turnId)
      assert.deepStrictEqual(beside, {
        listed: ["kept", "kept.txt"],
        runnerId: only(begun, "SandboxCreated")[0]!.runnerId
      })
      await trial.say(session, "run: echo lost > lost.txt", `say: ${"word ".repeat(400)}`, "run: cat kept.txt; ls")
      const shownBefore = trial.shown(session)
      await eventually("the model speaks", () => (trial.shown(session) > shownBefore + 50 ? true : undefined))
      await trial.revoke(first, "first")
      const revokedAt = performance.now()
      await eventually("it is cut", () => said(first, "4401"))
      assert.isBelow(performance.now() - revokedAt, 5_000)
      const waiting = await trial.until(session, "TurnWaiting")
      assert.include(only(waiting, "TurnWaiting")[0]!.reason, "no runner is")
      // Others are given half a minute for what is at work: what this one has, nobody takes any more.
      const stoppedAt = performance.now()
      assert.strictEqual(await first.stop("SIGTERM"), 0)
      assert.isBelow(performance.now() - stoppedAt, 20_000)
      assert.isTrue(said(first, "Stopping at once"))
      await trial.runner({ name: "second" })
      const events = await trial.ended(session, 3)
      assert.strictEqual(only(events, "TurnCompleted").length, 3)
      assert.strictEqual(only(events, "SandboxLost").length, 1)
      assert.strictEqual(only(events, "SandboxRestored").length, 1)
      const [rewound] = only(events, "WorkingCopyRewound")
      const lost = only(events, "ToolRequested").find(({ input }) => JSON.stringify(input).includes("lost.txt"))
      assert.deepStrictEqual(rewound!.callIds, [lost!.callId])
      const last = only(events, "ToolFinished").at(-1)!
      assert.include(JSON.stringify(last.content), "kept")
      assert.notInclude(JSON.stringify(last.content), "lost.txt")
      const elsewhere = await leftTo(trial, session, turnId)
      assert.deepStrictEqual(elsewhere, {
        listed: ["kept", "kept.txt"],
        runnerId: only(events, "SandboxCreated").at(-1)!.runnerId
      })
      assert.notStrictEqual(elsewhere.runnerId, beside.runnerId)
    },
    full ? {} : { contactLeaseMs: 6_000 }
  )

  holds("leads to the runner with the label, and a label that nobody has makes a turn wait", async (trial) => {
    await trial.runner({ name: "plain" })
    await trial.runner({ name: "gpu", args: ["--label", "gpu"] })
    const onGpu = await trial.open({ environment: { runnerLabels: ["gpu"] } })
    await trial.say(onGpu, trial.effect("gpu").line)
    const events = await trial.ended(onGpu)
    const [{ id }] = (await trial.system.query<{ id: string }>(
      "SELECT runner_id::text AS id FROM runners WHERE name = 'gpu'"
    )) as [{ id: string }]
    assert.strictEqual(only(events, "SandboxCreated")[0]!.runnerId, trial.runnerId(id))
    const nowhere = await trial.open({ environment: { runnerLabels: ["tpu"] } })
    await trial.say(nowhere, trial.effect("tpu").line)
    const waiting = await trial.until(nowhere, "TurnWaiting")
    assert.strictEqual(only(waiting, "TurnWaiting")[0]!.reason, "no connected runner has the label tpu")
    await trial.runner({ name: "tpu", args: ["--label", "tpu"] })
    await trial.ended(nowhere)
  })
})
