import { assert, it } from "@effect/vitest"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { text } from "node:stream/consumers"
import { requires } from "../test/requires.ts"

/** Runs a command as that of a container whose first process is ours: nobody else takes what has lost its parent. */
const container = async (command: ReadonlyArray<string>, input = "") => {
  const own = ["--fork", "--pid", "--mount-proc", "--kill-child"]
  const child = spawn("unshare", [...own, "docker/init.sh", ...command], { stdio: ["pipe", "pipe", "inherit"] })
  child.stdin.end(input)
  const [said, [status]] = await Promise.all([text(child.stdout), once(child, "exit")])
  return { said, status }
}

/** What a runner does: it starts what leaves something behind. A shell in its place would take it itself. */
const leaving = `
  const { execSync } = require("node:child_process")
  const adopted = () => execSync("ps --no-headers --ppid 1 -o comm=").toString().split("\\n").filter((name) => /sleep/.test(name))
  execSync("for n in 1 2 3 4 5; do ( sleep 1 & ) >/dev/null 2>&1; done")
  console.log(adopted().length > 0)
  const look = () => (adopted().length > 0 ? setTimeout(look, 50) : console.log("none"))
  look()`

requires("root", "tini")("the first process of a container", () => {
  it("takes what has lost its parent, once it has ended", async () => {
    assert.strictEqual((await container([process.execPath, "-e", leaving])).said, "true\nnone\n")
  })

  it("hands on its input and the signals for it, and ends as its command does", async () => {
    // A signal from outside would be for `unshare`.
    const script = "read -r word; trap 'echo $word; exit 7' TERM; kill -s TERM 1; while :; do sleep 0.05; done"
    assert.deepStrictEqual(await container(["sh", "-c", script], "told\n"), { said: "told\n", status: 7 })
  })
})
