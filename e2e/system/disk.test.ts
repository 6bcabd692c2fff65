import { spawnSync } from "node:child_process"
import { mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert } from "vitest"
import { requires } from "../../test/requires.ts"
import { holds } from "./holds.ts"
import { only } from "./waiting.ts"

requires(
  "postgres",
  "bubblewrap",
  "root"
)("a runner whose disk is full", () => {
  holds("says so, ends what it can't write down, and goes on once there is room", async (trial) => {
    const state = mkdtempSync(join(tmpdir(), "troupe-e2e-disk-"))
    assert.strictEqual(spawnSync("mount", ["-t", "tmpfs", "-o", "size=24m,mode=0711", "tmpfs", state]).status, 0)
    try {
      const runner = await trial.runner({ state })
      const session = await trial.open()
      const { line } = trial.effect("fill", "head -c 64M /dev/zero > big")
      await trial.say(session, line, trial.effect("after").line)
      const asked = await trial.until(session, "RetryAsked")
      assert.strictEqual(only(asked, "AttemptTroubled")[0]!.error.code, "journal_full")
      assert.isTrue(runner.isRunning())
      const sandboxes = join(state, "sandboxes")
      for (const name of readdirSync(sandboxes)) rmSync(join(sandboxes, name, "workspace/big"), { force: true })
      await trial.settle(session)
      assert.strictEqual(only(await trial.log(session), "TurnCompleted").length, 1)
      assert.strictEqual(await runner.stop("SIGTERM"), 0)
    } finally {
      await Promise.all(trial.system.runners.map((runner) => runner.stop("SIGKILL")))
      spawnSync("umount", ["-l", state])
    }
  })
})
