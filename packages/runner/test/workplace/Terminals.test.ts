import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Latch, Result, Stream } from "effect"
import { chmodSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { requires } from "../../../../test/requires.ts"
import { bubblewrap } from "../../src/sandbox/Bubblewrap.ts"
import { SandboxHome } from "../../src/sandbox/SandboxHome.ts"
import { newSandboxId, plainSpec } from "../../src/sandbox/trial.ts"
import { Scrollback } from "../../src/workplace/Scrollback.ts"
import * as Terminals from "../../src/workplace/Terminals.ts"

const bytes = (text: string) => new TextEncoder().encode(text)
const text = (value: Uint8Array) => new TextDecoder().decode(value)

describe("what a terminal showed", () => {
  it("is read from any offset that is still kept", () => {
    const kept = new Scrollback(10)
    kept.add(bytes("hello "))
    kept.add(bytes("world"))
    assert.deepStrictEqual([kept.begin, kept.end], [1, 11])
    assert.strictEqual(text(kept.after(6, 100).bytes), "world")
    assert.deepStrictEqual(kept.after(0, 3), { offset: 1, bytes: bytes("ell") })
    assert.deepStrictEqual(kept.after(11, 10), { offset: 11, bytes: bytes("") })
  })

  it("never is more than was said, however long the pieces are", () => {
    const kept = new Scrollback(8)
    for (let i = 0; i < 100; i++) kept.add(bytes(`${i}`.repeat(i)))
    assert.strictEqual(kept.end - kept.begin, 8)
    assert.strictEqual(text(kept.after(0, 100).bytes), "99999999")
  })
})

requires("bubblewrap", "root")("terminals of a session", () => {
  const withSandbox = <A, E>(
    use: (terminals: Terminals.Terminals, sandbox: Parameters<Terminals.Terminals["open"]>[0]) => Effect.Effect<A, E>
  ) =>
    Effect.gen(function* () {
      const directory = yield* Effect.acquireRelease(
        Effect.sync(() => {
          const path = mkdtempSync(join(tmpdir(), "troupe-terminals-"))
          // The sandbox's account passes through it.
          chmodSync(path, 0o711)
          return path
        }),
        (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
      )
      return yield* Effect.gen(function* () {
        const homes = yield* SandboxHome
        const sandboxId = newSandboxId()
        const home = yield* Effect.acquireRelease(homes.open(sandboxId), () => Effect.orDie(homes.remove(sandboxId)))
        const sandbox = yield* Effect.acquireRelease(
          bubblewrap().create(plainSpec(home, sandboxId)),
          (one) => one.destroy
        )
        return yield* use(yield* Terminals.make, sandbox)
      }).pipe(Effect.provide(SandboxHome.layer(join(directory, "homes"))))
    }).pipe(Effect.scoped)

  const size = { columns: 80, rows: 24 }

  /** Reads on from an offset until the text is there: the offset behind what was read. */
  const until = (terminals: Terminals.Terminals, id: string, wanted: string, after = 0) =>
    Effect.gen(function* () {
      let [seen, at] = ["", after]
      yield* Stream.runForEachWhile(terminals.read(id, after), (output) =>
        Effect.sync(() => {
          if (output._tag === "Ended") return false
          seen += text(output.bytes)
          at = output.offset + output.bytes.length
          return !seen.includes(wanted)
        })
      )
      assert.include(seen, wanted)
      return at
    })

  it.live("show what is typed there, and go on while nobody looks", () =>
    withSandbox((terminals, sandbox) =>
      Effect.gen(function* () {
        const id = yield* terminals.open(sandbox, size, null)
        yield* terminals.write(id, bytes("echo one $((40 + 2))\n"))
        const at = yield* until(terminals, id, "one 42")
        yield* terminals.write(id, bytes("echo two $((40 + 3))\n"))
        yield* until(terminals, id, "two 43", at)
        // And whoever comes anew sees all of it.
        yield* until(terminals, id, "one 42")
        yield* terminals.resize(id, { columns: 100, rows: 30 })
        const waits = 'until [ "$(stty size)" = "30 100" ]; do sleep 0.05; done; echo three $((40 + 4))'
        yield* terminals.write(id, bytes(`${waits}\n`))
        yield* until(terminals, id, "three 44", at)
      })
    )
  )

  it.live("end with their program, and say how", () =>
    withSandbox((terminals, sandbox) =>
      Effect.gen(function* () {
        const id = yield* terminals.open(sandbox, size, null)
        yield* terminals.write(id, bytes("exit 3\n"))
        const last = yield* Stream.runLast(terminals.read(id, 0))
        assert.deepStrictEqual(last._tag === "Some" && last.value, {
          _tag: "Ended",
          ending: { _tag: "Exited", code: 3 }
        })
        yield* terminals.write(id, bytes("echo nobody hears this\n"))
      })
    )
  )

  it.live("are gone once closed, for readers too", () =>
    withSandbox((terminals, sandbox) =>
      Effect.gen(function* () {
        const id = yield* terminals.open(sandbox, size, null)
        yield* terminals.write(id, bytes("echo here\n"))
        const reads = yield* Latch.make(false)
        const reading = Stream.tap(terminals.read(id, 0), () => reads.open)
        const reader = yield* Effect.forkChild(Stream.runDrain(reading))
        yield* reads.await
        yield* terminals.close(id)
        yield* Fiber.join(reader)
        const result = yield* Effect.result(terminals.write(id, bytes("x")))
        assert.strictEqual(Result.isFailure(result) && result.failure._tag, "TerminalGone")
        assert.strictEqual(terminals.count(), 0)
      })
    )
  )
})
