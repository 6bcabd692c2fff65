import type { EventId } from "@troupe/domain/Ids"
import { readFileSync } from "node:fs"
import { assert } from "vitest"
import { requires } from "../../test/requires.ts"
import { processesOf } from "../support/leftovers.ts"
import { full, holds } from "./holds.ts"
import { eventually, only } from "./waiting.ts"

/** The most memory that the process ever had, in mebibytes. */
const peakMb = (pid: number): number =>
  Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]) / 1_024

requires(
  "postgres",
  "bubblewrap",
  "root"
)("a tool that prints", () => {
  holds("100 MB costs a file, and neither memory nor the log", async (trial) => {
    const runner = await trial.runner()
    const session = await trial.open()
    const { line } = trial.effect("much", "head -c 100M /dev/zero | tr '\\0' x; echo; echo the end")
    await trial.say(session, line, "run: ls /mnt/session | head; wc -c /mnt/session/tool-output/* | tail -1")
    const events = await trial.ended(session)
    const [much, size] = only(events, "ToolFinished")
    assert.strictEqual(much!.outcome, "succeeded")
    assert.isBelow(JSON.stringify(much).length, 65_536)
    assert.include(JSON.stringify(much!.content), "the end")
    assert.include(JSON.stringify(size!.content), "1048576")
    assert.isBelow(peakMb(runner.pid), 700)
    for (const node of trial.nodes()) assert.isBelow(peakMb(node.pid), 700)
  })

  holds("for ever is ended by an interrupt, and others are served meanwhile", async (trial) => {
    await trial.runner()
    const session = await trial.open()
    const other = await trial.open()
    const { line, token } = trial.effect("ever", "yes")
    await trial.say(session, line)
    await trial.happened(token)
    const { line: quick } = trial.effect("other")
    await trial.say(other, quick)
    assert.strictEqual(only(await trial.ended(other), "TurnCompleted").length, 1)
    const inputId = trial.system.mint("Event") as EventId
    await trial.send(session, { _tag: "Send", inputs: [{ _tag: "Interrupt", inputId, threadId: null }] })
    const events = await trial.until(session, "TurnInterrupted")
    assert.isNotNull(only(events, "TurnInterrupted")[0]!.frame)
    const [sandbox] = only(events, "SandboxCreated")
    await eventually(
      "nothing of it runs",
      () => (processesOf(sandbox!.sandboxId).length === 0 ? true : undefined),
      5_000
    )
  })

  if (full) {
    holds("for ever, and that nobody ends, is ended when its time is over", async (trial) => {
      await trial.runner()
      const session = await trial.open()
      await trial.say(session, trial.effect("timeout", "yes").line, trial.effect("after").line)
      await trial.until(session, "ToolFinished", 2, 300_000)
      const events = await trial.ended(session)
      assert.strictEqual(only(events, "ToolFinished")[0]!.outcome, "timed_out")
      assert.strictEqual(only(events, "TurnCompleted").length, 1)
    })
  }
})
