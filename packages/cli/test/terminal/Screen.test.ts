import { assert, describe, it } from "@effect/vitest"
import type { WriteStream } from "node:tty"
import { ScreenText } from "../../../../e2e/support/ScreenText.ts"
import { type Drawn, Screen } from "../../src/terminal/Screen.ts"

const drawn = (lines: ReadonlyArray<string>, row = lines.length - 1, column = 0): Drawn => ({
  lines,
  cursor: { row, column }
})

const made = () => {
  const text = new ScreenText(40)
  const written: Array<string> = []
  const output = {
    columns: 40,
    rows: 24,
    write: (piece: string) => {
      text.write(piece)
      written.push(piece)
    }
  }
  const screen = new Screen(output as unknown as WriteStream)
  const show = (next: Drawn, ...kept: ReadonlyArray<string>) => {
    screen.show(kept, () => next)
    screen.flush()
  }
  return { output, screen, show, text, written }
}

describe("A screen", () => {
  it("shows what was drawn last below what stays, whatever was drawn before", () => {
    const { show, text } = made()
    const pictures = [["a"], ["a", "b", "c"], ["a", "c"], ["x"], ["x", "y", "z", "q"], ["x", "y", "q"], ["q"]]
    const stays: Array<string> = []
    for (const from of pictures) {
      for (const to of pictures) {
        for (const row of from.keys()) {
          show(drawn(from, row, 1))
          if (row === 1) stays.push(`kept ${stays.length}`)
          show(drawn(to), ...(row === 1 ? stays.slice(-1) : []))
          assert.strictEqual(text.text, [...stays, ...to].join("\n"))
        }
      }
    }
  })

  it("writes no more than has changed", () => {
    const { show, written } = made()
    show(drawn(["one", "two", "three"]))
    show(drawn(["one", "two", "other"]))
    assert.include(written.at(-1), "other")
    assert.notInclude(written.at(-1), "two")
    show(drawn(["one", "two", "other"], 0, 1))
    assert.notMatch(written.at(-1)!, /one|two|other/)
    const count = written.length
    show(drawn(["one", "two", "other"], 0, 1))
    assert.lengthOf(written, count)
  })

  it("draws what comes together once, and keeps all of it", () => {
    const { screen, text, written } = made()
    for (let at = 0; at < 100; at++) screen.show([`line ${at}`], () => drawn([`state ${at}`]))
    screen.flush()
    assert.lengthOf(written, 1)
    assert.strictEqual(text.text, [...Array.from({ length: 100 }, (_, at) => `line ${at}`), "state 99"].join("\n"))
  })

  it("leaves what stays when it is closed", () => {
    const { screen, show, text } = made()
    show(drawn(["question", "answer"], 0, 3), "said")
    screen.close()
    assert.strictEqual(text.text, "said\n")
  })
})
