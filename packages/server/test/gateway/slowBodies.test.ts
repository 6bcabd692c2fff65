import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as TestClock from "effect/testing/TestClock"
import { quietMs, readForm } from "../../src/files/formEvents.ts"
import { jsonWithinMs, readJson } from "../../src/gateway/Body.ts"

/** A request whose body begins, and of which no more ever comes. */
const halfOpen = (type: string, begun: string) =>
  HttpServerRequest.fromWeb(
    new Request("http://localhost/", {
      method: "POST",
      headers: { "content-type": type },
      body: new ReadableStream({ start: (controller) => controller.enqueue(new TextEncoder().encode(begun)) }),
      duplex: "half"
    } as RequestInit)
  )

describe("a body that does not end", () => {
  it.effect("is waited for so long where it is JSON", () =>
    Effect.gen(function* () {
      const reading = yield* Effect.forkChild(Effect.flip(readJson(halfOpen("application/json", `{"name":`))))
      yield* TestClock.adjust(jsonWithinMs - 1)
      assert.isUndefined(reading.pollUnsafe())
      yield* TestClock.adjust(1)
      assert.strictEqual((yield* Fiber.join(reading)).code, "request_body_timeout")
    })
  )

  it.effect("is waited for while something of it comes where it is a file", () =>
    Effect.gen(function* () {
      const begun = `--x\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\nhello`
      const request = halfOpen("multipart/form-data; boundary=x", begun)
      const reading = yield* Effect.forkChild(Effect.flip(readForm(request, 1_000, () => Effect.void)))
      yield* TestClock.adjust(quietMs - 1)
      assert.isUndefined(reading.pollUnsafe())
      yield* TestClock.adjust(quietMs)
      assert.strictEqual((yield* Fiber.join(reading)).code, "request_body_timeout")
    })
  )
})
