import { Effect } from "effect"
import { spawn } from "node:child_process"
import { chownSync } from "node:fs"
import type { Account } from "../sandbox/Account.ts"
import { findTool, systemPath } from "../sandbox/Tools.ts"
import { PreparationFailed } from "./PreparationFailed.ts"

const storage = (detail: string) => new PreparationFailed({ step: "environment", reason: { _tag: "Storage", detail } })

/** Lets the account of a preparation's sandbox write there. */
export const handOver = (directory: string, { gid, switched, uid }: Account): Effect.Effect<void, PreparationFailed> =>
  Effect.try({
    try: () => (switched ? chownSync(directory, uid, gid) : undefined),
    catch: (cause) => storage(String(cause))
  })

/** Makes a tree the runner's again, for everybody to read and for nobody to gain rights by. Links are not followed. */
export const takeBack = Effect.fnUntraced(function* (directory: string, { switched }: Account) {
  if (switched) yield* runTool("chown", ["-R", "-h", "-P", "0:0", "--", directory])
  yield* runTool("chmod", ["-R", "u+rwX,go-w,a+rX,ug-s", "--", directory])
})

const runTool = (name: string, args: ReadonlyArray<string>): Effect.Effect<void, PreparationFailed> =>
  Effect.callback((resume) => {
    const tool = findTool(name)
    if (tool === undefined) return resume(Effect.fail(storage(`the system has no ${name}`)))
    let said = ""
    const child = spawn(tool, args, {
      env: { PATH: systemPath, LC_ALL: "C" },
      cwd: "/",
      stdio: ["ignore", "ignore", "pipe"]
    })
    child.stderr.on("data", (chunk: Buffer) => {
      if (said.length < 400) said += chunk.toString("utf8", 0, 400)
    })
    child.on("error", ({ message }) => resume(Effect.fail(storage(message))))
    child.on("close", (code) => resume(code === 0 ? Effect.void : Effect.fail(storage(`${name}: ${said.trim()}`))))
    return Effect.sync(() => child.kill("SIGKILL"))
  })
