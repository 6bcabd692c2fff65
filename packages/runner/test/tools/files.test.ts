import { assert, describe, it } from "@effect/vitest"
import type { Json } from "@troupe/domain/Json"
import { Effect } from "effect"
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fill } from "../support/scratch.ts"
import { local } from "../../src/sandbox/Local.ts"
import { gatewayOf, placeOn, textOf, trusting } from "./world.ts"

const session = Effect.gen(function* () {
  const world = yield* placeOn(local())
  const { call, frames } = gatewayOf({ place: world.place, policies: trusting })
  const use = (name: string, input: Json) =>
    Effect.map(call(name, input), (result) => {
      if (result._tag !== "Done") return assert.fail("nobody is to be asked")
      return { ...result, text: textOf(result.content), details: frames.last("ToolFinished").details ?? {} }
    })
  const file = (path: string) => join(world.workspace, path)
  return { ...world, use, file, frames }
})

const png = Buffer.from("89504e470d0a1a0a0000000d49484452", "hex")

describe("read", () => {
  it.effect("numbers the lines, and gives a range of them", () =>
    Effect.gen(function* () {
      const { use, workspace } = yield* session
      fill(workspace, { "a.txt": "one\ntwo\r\nthree", "deep/b": "x\n" })
      assert.strictEqual((yield* use("read", { file_path: "a.txt" })).text, "     1\tone\n     2\ttwo\n     3\tthree")
      assert.strictEqual((yield* use("read", { file_path: `${workspace}/deep/b` })).text, "     1\tx")
      assert.strictEqual((yield* use("read", { file_path: "a.txt", view_range: [2, 2] })).text, "     2\ttwo")
      assert.strictEqual((yield* use("read", { file_path: "a.txt", view_range: [3, -1] })).text, "     3\tthree")
      assert.match(
        (yield* use("read", { file_path: "a.txt", view_range: [9, 10] })).text,
        /has 3 lines; line 9 is not there/
      )
      assert.match((yield* use("read", { file_path: "a.txt", view_range: [3, 2] })).text, /is not a range/)
    })
  )

  it.effect("shows the beginning of what is long, and says how to go on", () =>
    Effect.gen(function* () {
      const { use, workspace } = yield* session
      fill(workspace, {
        long: Array.from({ length: 5_000 }, (_, at) => `line ${at + 1}`).join("\n"),
        wide: "x".repeat(5_000_000),
        "wide-lines": `${"y".repeat(1_900)}\n`.repeat(3_000)
      })
      const long = yield* use("read", { file_path: "long" })
      assert.match(long.text, /  2000\tline 2000\n\[There is more\. Go on with view_range: \[2001, 4000\]\.\]$/)
      assert.match(
        (yield* use("read", { file_path: "long", view_range: [4_999, 5_000] })).text,
        /^ {2}4999\tline 4999\n {2}5000\tline 5000$/
      )
      assert.match((yield* use("read", { file_path: "wide" })).text, /^ {5}1\tx{2000}… \[4998000 more\]$/)
      const cut = yield* use("read", { file_path: "wide-lines" })
      assert.match(cut.text, /\[Cut at 57344 bytes\. Go on with view_range: \[\d+, -1\]\.\]$/)
    })
  )

  it.effect("shows images and PDFs, and refuses what is binary, a directory, or not there", () =>
    Effect.gen(function* () {
      const { file, use, workspace } = yield* session
      fill(workspace, { empty: "", "deep/x": "", nul: "a\0b" })
      writeFileSync(file("picture"), png)
      writeFileSync(file("paper.pdf"), "%PDF-1.7 …")
      const [image] = (yield* use("read", { file_path: "picture" })).content
      assert.deepStrictEqual(image, {
        type: "image",
        source: { type: "base64", mediaType: "image/png", data: png.toString("base64") }
      })
      const [pdf] = (yield* use("read", { file_path: "paper.pdf" })).content
      assert.strictEqual(pdf?.type === "document" && pdf.title, "paper.pdf")
      assert.match((yield* use("read", { file_path: "nul" })).text, /is a binary file of 3 bytes/)
      assert.match((yield* use("read", { file_path: "deep" })).text, /is a directory\. Use glob/)
      assert.match((yield* use("read", { file_path: "gone" })).text, /does not exist/)
      assert.strictEqual((yield* use("read", { file_path: "empty" })).text, "(The file is empty.)")
    })
  )

  it.effect("leads nowhere but into the session's directories", () =>
    Effect.gen(function* () {
      const { file, home, use } = yield* session
      writeFileSync(join(home, "secret"), "secret")
      symlinkSync(join(home, "secret"), file("link"))
      symlinkSync("/etc", file("etc"))
      for (const file_path of [
        "/etc/passwd",
        "../secret",
        "link",
        "etc/passwd",
        "a/../../secret",
        "/proc/self/environ"
      ]) {
        const { outcome, text } = yield* use("read", { file_path })
        assert.strictEqual(outcome, "failed", file_path)
        assert.notInclude(text, "secret:")
      }
      assert.strictEqual((yield* use("read", { file_path: "a\0b" })).outcome, "failed")
      assert.strictEqual((yield* use("read", { file_path: "x".repeat(5_000) })).outcome, "failed")
    })
  )
})

describe("write and edit", () => {
  it.effect("make a file with its directories, and replace one whole", () =>
    Effect.gen(function* () {
      const { file, outputs, use } = yield* session
      assert.match(
        (yield* use("write", { file_path: "a/b/c.txt", content: "hé" })).text,
        /^Created .*c\.txt \(3 bytes\)\.$/
      )
      writeFileSync(file("run.sh"), "old")
      chmodSync(file("run.sh"), 0o755)
      assert.match((yield* use("write", { file_path: "run.sh", content: "new" })).text, /^Replaced/)
      assert.deepStrictEqual(
        [readFileSync(file("run.sh"), "utf8"), statSync(file("run.sh")).mode & 0o777],
        ["new", 0o755]
      )
      assert.match((yield* use("write", { file_path: join(outputs, "report"), content: "x" })).text, /^Created/)
    })
  )

  it.effect("change nothing where nothing may be changed", () =>
    Effect.gen(function* () {
      const { file, home, use } = yield* session
      mkdirSync(file("dir"))
      assert.match((yield* use("write", { file_path: join(home, "uploads/x"), content: "" })).text, /is read-only/)
      assert.match(
        (yield* use("write", { file_path: join(home, "x"), content: "" })).text,
        /is not a place for files here/
      )
      assert.match((yield* use("write", { file_path: "dir", content: "" })).text, /is a directory/)
      symlinkSync(join(home, "outside"), file("link"))
      assert.strictEqual((yield* use("write", { file_path: "link", content: "x" })).outcome, "failed")
      assert.isFalse(existsSync(join(home, "outside")))
    })
  )

  it.effect("replace the one place that is meant", () =>
    Effect.gen(function* () {
      const { file, use } = yield* session
      writeFileSync(file("a"), "\ufeffone two\ntwo three\n")
      const edit = (old_string: string, new_string: string, more = {}) =>
        use("edit", { file_path: "a", old_string, new_string, ...more })
      assert.match((yield* edit("two", "2")).text, /is 2 times in .*make it unique, or set replace_all/)
      assert.match((yield* edit("one two", "$& $1")).text, /in one place, at line 1\.$/)
      assert.strictEqual(readFileSync(file("a"), "utf8"), "\ufeff$& $1\ntwo three\n")
      assert.match((yield* edit("three", "3")).text, /, at line 2\.$/)
      assert.match((yield* edit("3", "three")).text, /, at line 2\.$/)
      assert.match((yield* edit("t", "T", { replace_all: true })).text, /in 2 places/)
      assert.match((yield* edit("missing", "x")).text, /was not found in .*Read the file again/)
      assert.match((yield* edit("Two  Three", "x")).text, /was not found/)
      assert.match((yield* edit("Two\tthree", "x")).text, /was not found/)
      assert.match((yield* edit("Two", "Two")).text, /are the same/)
      assert.strictEqual(readFileSync(file("a"), "utf8"), "\ufeff$& $1\nTwo Three\n")
    })
  )

  it.effect("do not damage what is no text, and say why a text was not found", () =>
    Effect.gen(function* () {
      const { file, use } = yield* session
      writeFileSync(file("latin"), Buffer.from([0x61, 0xe9, 0x62]))
      assert.match(
        (yield* use("edit", { file_path: "latin", old_string: "a", new_string: "b" })).text,
        /is not UTF-8 text/
      )
      writeFileSync(file("dos"), "a\r\nb\r\n")
      assert.match(
        (yield* use("edit", { file_path: "dos", old_string: "a\nb", new_string: "c" })).text,
        /Windows line ends/
      )
      writeFileSync(file("tabs"), "a\tb")
      assert.match(
        (yield* use("edit", { file_path: "tabs", old_string: "a  b", new_string: "c" })).text,
        /other spaces/
      )
    })
  )

  it.effect("wait for each other on one file, so that none is lost", () =>
    Effect.gen(function* () {
      const { file, use } = yield* session
      writeFileSync(file("list"), Array.from({ length: 20 }, (_, at) => `item ${at};`).join("\n"))
      const edits = Array.from({ length: 20 }, (_, at) => ({
        file_path: at % 2 === 0 ? "list" : "./x/../list",
        old_string: `item ${at};`,
        new_string: `done ${at};`
      }))
      const all = yield* Effect.forEach(edits, (input) => use("edit", input), { concurrency: "unbounded" })
      assert.deepStrictEqual(
        all.map(({ outcome }) => outcome),
        edits.map(() => "succeeded")
      )
      assert.notInclude(readFileSync(file("list"), "utf8"), "item")
    })
  )
})

describe("glob", () => {
  it.effect("finds files by pattern, without what git ignores", () =>
    Effect.gen(function* () {
      const { use, workspace } = yield* session
      fill(workspace, {
        "src/a.ts": "",
        "src/deep/b.ts": "",
        "src/c.js": "",
        "build/d.ts": "",
        ".gitignore": "build/\n",
        ".git/e.ts": ""
      })
      const names = (text: string) =>
        text
          .split("\n")
          .map((path) => path.replace(`${workspace}/`, ""))
          .sort()
      assert.deepStrictEqual(names((yield* use("glob", { pattern: "**/*.ts" })).text), ["src/a.ts", "src/deep/b.ts"])
      assert.deepStrictEqual(names((yield* use("glob", { pattern: "*.{ts,js}", path: "src" })).text), [
        "src/a.ts",
        "src/c.js"
      ])
      assert.deepStrictEqual(names((yield* use("glob", { pattern: `${workspace}/src/*.js` })).text), ["src/c.js"])
      assert.strictEqual((yield* use("glob", { pattern: "*.rs" })).text, "No files match *.rs.")
      assert.match((yield* use("glob", { pattern: "*", path: "/etc" })).text, /is not a place for files/)
      assert.strictEqual((yield* use("glob", { pattern: "../*" })).outcome, "failed")
    })
  )

  it.effect("gives names on one line, whatever is in them, and has an end", () =>
    Effect.gen(function* () {
      const { file, use } = yield* session
      writeFileSync(file("two\nlines"), "")
      assert.include((yield* use("glob", { pattern: "two*" })).text, String.raw`two\nlines"`)
      for (let at = 0; at < 1_100; at++) writeFileSync(file(`many-${at}`), "")
      const { text } = yield* use("glob", { pattern: "many-*" })
      const files = text.split("\n").length - 1
      assert.isTrue(files > 500 && files <= 1_000, `${files} files`)
      assert.match(text, /Not all of them/)
    })
  )
})
