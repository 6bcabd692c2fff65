import { assert, describe, it } from "vitest"
import { countsOf, sorted } from "../../src/files/files.logic.ts"

describe("changes of files", () => {
  it("are counted by lines", () => {
    const patch = "--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n same\n-- old\n+new\n+\n"
    assert.deepStrictEqual(countsOf({ text: patch } as never), { added: 2, removed: 1 })
    assert.isNull(countsOf({ text: null } as never))
  })
})

describe("files of a session", () => {
  it("are told apart by who made them, the newest first", () => {
    const file = (id: string, at: string, path: string | null) => ({ id, created_at: at, troupe: { path } }) as never
    const { given, made } = sorted([file("a", "1", "/x"), file("b", "2", null), file("c", "3", "/y")])
    assert.deepStrictEqual(
      [made, given].map((files) => files.map(({ id }) => id as string)),
      [["c", "a"], ["b"]]
    )
  })
})
