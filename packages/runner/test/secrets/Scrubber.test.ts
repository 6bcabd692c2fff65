import { assert, describe, it } from "@effect/vitest"
import type { FrameBody } from "@troupe/domain/session/Frame"
import { Schema } from "effect"
import { mask, Scrubber, TextScrubber } from "../../src/secrets/Scrubber.ts"
import { scrubFrame } from "../../src/secrets/scrubFrame.ts"
import { title, toolFinished } from "../support/requests.ts"

const Secret = Schema.String.check(Schema.isMinLength(6), Schema.isMaxLength(40))
const Text = Schema.String.check(Schema.isMaxLength(60))
const Cuts = Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 7 })))
const often = { arbitrary: { runs: 500 }, timeout: 60_000 }

const knowing = (...secrets: ReadonlyArray<string>) => {
  const scrubber = new Scrubber()
  for (const secret of secrets) scrubber.add(secret)
  return scrubber
}

const disguises: ReadonlyArray<(secret: string) => string> = [
  (secret) => secret,
  (secret) => JSON.stringify(secret).slice(1, -1),
  (secret) => encodeURIComponent(secret.toWellFormed()),
  (secret) => Buffer.from(secret).toString("hex"),
  (secret) => Buffer.from(secret).toString("base64"),
  (secret) => Buffer.from(`user:${secret}`).toString("base64"),
  (secret) => Buffer.from(`${secret} and more`).toString("base64url")
]

/** Long enough to know again where base64 mixes its ends with what is around it. */
const tellTale = (secret: string) => Buffer.from(secret).toString("base64").replaceAll("=", "").slice(4, -4)

describe("A scrubber", () => {
  it.prop(
    "leaves no secret in a text, plain or as JSON and URLs write it",
    [Secret, Text, Text],
    ([secret, before, after]) => {
      const scrubber = knowing(secret)
      for (const disguise of disguises.slice(0, 4)) {
        const scrubbed = scrubber.text(before + disguise(secret) + after)
        if (!mask.includes(secret)) assert.notInclude(scrubbed.replaceAll(mask, "\n"), secret)
      }
    },
    often
  )

  it("knows it again inside of longer texts in base64, at every place", () => {
    const secret = "sk-live-0123456789abcdef"
    const scrubber = knowing(secret)
    for (let shift = 0; shift < 6; shift++) {
      const encoded = Buffer.from("u".repeat(shift) + secret + "tail".slice(shift % 4)).toString("base64")
      assert.include(scrubber.text(encoded), mask)
      assert.notInclude(scrubber.text(encoded), tellTale("u".repeat(shift) + secret))
    }
    for (const disguise of disguises) assert.include(scrubber.text(`<${disguise(secret)}>`), mask)
  })

  it.prop(
    "finds the same in pieces as in the whole, wherever it is cut",
    [Secret, Text, Text, Cuts],
    ([secret, before, after, cuts]) => {
      const whole = before + secret + after
      const scrubber = knowing(secret)
      const stream = new TextScrubber(scrubber)
      let shown = ""
      let at = 0
      for (const cut of [...cuts, whole.length]) {
        shown += stream.push(whole.slice(at, at + cut))
        at += cut
      }
      shown += stream.push(whole.slice(at)) + stream.end()
      if (!mask.includes(secret)) assert.notInclude(shown.replaceAll(mask, "\n"), secret)
    },
    often
  )

  it("changes nothing where there is nothing to hide, and leaves short words alone", () => {
    const body = toolFinished(1)
    assert.strictEqual(scrubFrame(knowing("something-else"), body), body)
    assert.strictEqual(knowing("abc").text("abc abc"), "abc abc")
  })

  it("hides in every field, names of fields too, and keeps frames readable", () => {
    const scrubber = knowing("sk-live-secret", "succeeded")
    const body: FrameBody = {
      ...(toolFinished(1) as Extract<FrameBody, { readonly _tag: "ToolFinished" }>),
      details: { "sk-live-secret": ["sk-live-secret"] }
    }
    const scrubbed = scrubFrame(scrubber, body)
    assert.strictEqual(scrubbed._tag === "ToolFinished" && scrubbed.outcome, "succeeded")
    assert.strictEqual(JSON.stringify(Object.values((scrubbed as { details: object }).details)), `[["${mask}"]]`)
    assert.deepStrictEqual(scrubFrame(scrubber, title("x sk-live-secret")), title(`x ${mask}`))
  })

  it("hides the longer secret where one contains the other", () => {
    assert.strictEqual(knowing("abcdef", "abcdefghij").text("abcdefghij abcdef"), `${mask} ${mask}`)
  })
})
