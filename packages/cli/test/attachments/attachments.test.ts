import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { completePath } from "../../src/attachments/completePath.ts"
import { mentionsIn, mentionTyped } from "../../src/attachments/mentions.ts"
import { Unattachable } from "../../src/attachments/Unattachable.ts"
import { mentionedIn } from "../../src/attachments/withAttachments.ts"

const home = mkdtempSync(join(tmpdir(), "troupe-attach-"))
const at = (name: string) => join(home, name)
const paths = (message: string) => mentionsIn(message).map(({ path }) => path)
const refused = (message: string): string => {
  try {
    mentionedIn(message)
  } catch (error) {
    assert.instanceOf(error, Unattachable)
    return [error.message, error.advice ?? ""].join("\n")
  }
  return assert.fail(`${message} is not refused`)
}

beforeAll(() => {
  mkdirSync(at("pictures"))
  writeFileSync(at("pictures/one.png"), Buffer.from([0x89, 0x50, 0x4e, 0x47, 1]))
  writeFileSync(at("pictures/only.webp"), "RIFF....WEBPVP8")
  writeFileSync(at("notes.md"), "# Notes\n")
  writeFileSync(at("two words.txt"), "two")
  writeFileSync(at("really.png"), Buffer.from([0, 1, 2, 0xff]))
  writeFileSync(at("empty.txt"), "")
  writeFileSync(at("plan.pdf"), "%PDF-1.7")
  writeFileSync(at("large.png"), Buffer.from([0x89, 0x50, 0x4e, 0x47]))
  truncateSync(at("large.png"), 6 * 1_024 * 1_024)
  truncateSync(at("empty.txt"), 0)
})
afterAll(() => rmSync(home, { recursive: true, force: true }))

describe("a message", () => {
  it("names files behind an @, in quotes where they have spaces, without what ends a sentence", () => {
    assert.deepStrictEqual(paths('Look at @a.png, then @"b c.pdf" and (see @./d).'), ["a.png", "b c.pdf", "./d"])
    assert.deepStrictEqual(paths("@a.png @a.png"), ["a.png"])
  })

  it("names none by an address or a lone @", () => {
    assert.deepStrictEqual(paths("me@example.com @ home"), [])
    assert.deepStrictEqual(mentionedIn("ask @somebody about @scope/package"), [])
  })
})

describe("files that are named", () => {
  it("are what is in them, whatever they are called", () => {
    const files = mentionedIn(`@${at("pictures/one.png")} @${at("pictures/only.webp")} @"${at("two words.txt")}"`)
    const more = mentionedIn(`@${at("plan.pdf")} @${at("notes.md")}`)
    assert.deepStrictEqual(
      [...files, ...more].map(({ mediaType, name }) => [name, mediaType]),
      [
        ["one.png", "image/png"],
        ["only.webp", "image/webp"],
        ["two words.txt", "text/plain"],
        ["plan.pdf", "application/pdf"],
        ["notes.md", "text/plain"]
      ]
    )
  })

  it("are refused in a sentence, with what to do instead", () => {
    assert.match(refused(`@${at("really.png")}`), /no picture, PDF or text.*\n--cwd/)
    assert.match(refused(`@${at("large.png")}`), /has 6\.0 MB, and at most 5 MB/)
    assert.match(refused(`@${at("gone.png")}`), /can't be attached: there is no such file/)
    assert.match(refused(`@${at("pictures")}`), /it is no file.\n--cwd/)
    assert.match(refused(`@${at("empty.txt")}`), /it is empty/)
  })
})

describe("a path that is typed", () => {
  it("is the word behind an @ at the cursor", () => {
    assert.strictEqual(mentionTyped("look @pict"), "pict")
    assert.strictEqual(mentionTyped("@"), "")
    assert.isNull(mentionTyped("me@pict"))
    assert.isNull(mentionTyped("@pict and"))
  })

  it("is written to its end, or as far as it is sure", () => {
    assert.deepStrictEqual(completePath(at("pict")), { path: `${at("pictures")}/`, others: [] })
    assert.deepStrictEqual(completePath(at("pictures/o")), {
      path: at("pictures/on"),
      others: ["one.png", "only.webp"]
    })
    assert.deepStrictEqual(completePath(at("pictures/one")), { path: `${at("pictures/one.png")} `, others: [] })
    assert.deepStrictEqual(completePath(at("nothing")), { path: at("nothing"), others: [] })
  })
})
