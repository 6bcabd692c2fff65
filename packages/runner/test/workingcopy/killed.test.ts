import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { spawn } from "node:child_process"
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import { capture, restore } from "../../src/workingcopy/Checkpoints.ts"
import { DirectoryBlobs } from "../support/DirectoryBlobs.ts"
import { fill, scratch } from "../support/scratch.ts"
import { look } from "../support/trees.ts"

const program = join(import.meta.dirname, "../support/checkpoint-main.ts")

/** Runs the program and kills it when it has asked for blobs so often; answers whether it was killed in the middle. */
const killedAfter = (requests: number, ...args: ReadonlyArray<string>) =>
  Effect.callback<boolean>((resume) => {
    const child = spawn(process.execPath, [program, ...args], { stdio: ["ignore", "pipe", "inherit"] })
    let heard = 0
    child.stdout.on("data", (data: Buffer) => {
      heard += data.toString().split(".").length - 1
      if (heard >= requests) child.kill("SIGKILL")
    })
    child.once("exit", (_code, signal) => resume(Effect.succeed(signal === "SIGKILL")))
  })

const world = Effect.gen(function* () {
  const home = yield* scratch
  const at = (name: string) => join(home, name)
  fill(
    at("tree"),
    Object.fromEntries(Array.from({ length: 3_000 }, (_, n) => [`d${n % 9}/e${n % 2}/f${n}`, `content ${n}`]))
  )
  const blobs = new DirectoryBlobs(at("blobs"))
  const reference = yield* capture(
    { root: { root: at("tree") }, state: at("reference") },
    new DirectoryBlobs(at("other"))
  )
  return { at, blobs, checkpoint: reference.checkpoint }
})

describe("A process that is killed", { timeout: 180_000 }, () => {
  it.live("while it captures has only to do it again", () =>
    Effect.gen(function* () {
      const { at, blobs, checkpoint } = yield* world
      let killed = 0
      for (const requests of [1, 3, 6, 9]) {
        if (yield* killedAfter(requests, at("tree"), at("state"), at("blobs"))) killed++
      }
      assert.isAbove(killed, 1)
      const captured = yield* capture({ root: { root: at("tree") }, state: at("state") }, blobs)
      assert.strictEqual(captured.checkpoint, checkpoint)
      mkdirSync(at("copy"))
      yield* restore({ root: { root: at("copy") }, state: at("copy.state") }, checkpoint, blobs)
      assert.deepStrictEqual(look(at("copy")), look(at("tree")))
    })
  )

  it.live("while it restores goes on when it is started again", () =>
    Effect.gen(function* () {
      const { at, blobs, checkpoint } = yield* world
      yield* capture({ root: { root: at("tree") }, state: at("state") }, blobs)
      mkdirSync(at("copy"))
      let killed = 0
      for (const requests of [2, 4, 3, 5, 4]) {
        if (yield* killedAfter(requests, at("copy"), at("copy.state"), at("blobs"), checkpoint)) killed++
      }
      assert.isAbove(killed, 1)
      yield* restore({ root: { root: at("copy") }, state: at("copy.state") }, checkpoint, blobs)
      assert.deepStrictEqual(look(at("copy")), look(at("tree")))
    })
  )
})
