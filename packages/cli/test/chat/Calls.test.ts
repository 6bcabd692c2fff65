import type { ToolResult, ToolUse } from "../../src/session/Transcript.ts"
import { assert, describe, it } from "@effect/vitest"
import { stripVTControlCharacters } from "node:util"
import { Calls } from "../../src/chat/Calls.ts"

const use = (id: string, name: string, input: object) => ({ id, name, input }) as unknown as ToolUse
const answer = (text: string, is_error = false) =>
  ({ content: [{ type: "text", text }], is_error }) as unknown as ToolResult
const bare = (lines: ReadonlyArray<string>) => lines.map(stripVTControlCharacters)
const lines = (count: number) => Array.from({ length: count }, (_, at) => `line ${at + 1}`).join("\n")

describe("The calls of a chat", () => {
  it("are told in short, and whole for whoever asks, the last one first", () => {
    const calls = new Calls()
    assert.strictEqual(calls.begins(use("1", "bash", { command: "seq 3" })), "bash seq 3")
    calls.begins(use("2", "bash", { command: "cat\nlong" }))
    assert.deepStrictEqual(bare(calls.ends("2", answer("a\n\u001B[2Jb\n"))), [
      "● bash cat long",
      "  └ a · 1 more line · Ctrl-O shows all"
    ])
    assert.deepStrictEqual(bare(calls.ends("1", answer("1\n2\n3"))), ["● bash seq 3", "  └ 1 · 2 more lines"])
    assert.deepStrictEqual(calls.ends("1", answer("1")), [])
    assert.deepStrictEqual(bare(calls.unfolds()), ["● bash seq 3", "  │ 1", "  │ 2", "  │ 3", ""])
    assert.deepStrictEqual(bare(calls.unfolds()).slice(0, 3), ["● bash cat long", "  │ a", "  │ b"])
    assert.match(bare(calls.unfolds()).join(), /^Nothing/)
  })

  it("show the lines that change of a file, and no others", () => {
    const calls = new Calls()
    calls.begins(use("1", "edit", { file_path: "a", old_string: "one\ntwo\nend", new_string: "one\n2\n3\nend" }))
    assert.deepStrictEqual(bare(calls.ends("1", answer("Changed"))), [
      "● edit a",
      "  - two",
      "  + 2",
      "  + 3",
      "  └ Changed"
    ])
    calls.begins(use("2", "write", { file_path: "a", content: lines(20) }))
    const told = bare(calls.ends("2", answer("Created")))
    assert.deepStrictEqual(told.slice(-3), ["  + line 8", "  … 12 more lines", "  └ Created · Ctrl-O shows all"])
    assert.include(bare(calls.unfolds()), "  │ + line 20")
  })

  it("change nothing where they fail", () => {
    const calls = new Calls()
    calls.begins(use("1", "edit", { file_path: "a", old_string: "one", new_string: "two" }))
    assert.deepStrictEqual(bare(calls.ends("1", answer("It was not found.", true))), [
      "● edit a",
      "  └ It was not found."
    ])
  })
})
