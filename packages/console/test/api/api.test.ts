import { ApiError, AuthenticationError, ConnectionError, InvalidAnswerError, TimeoutError } from "@troupe/client"
import { apiErrorOf } from "@troupe/client/errors"
import { assert, describe, it } from "vitest"
import { isLasting } from "../../src/api/lasting.logic.ts"
import { missingSession } from "../../src/session/missing.logic.ts"
import { explain, Refused } from "../../src/ui/problem.logic.ts"

const refused = (status: number, requestId: string | null = null): ApiError =>
  apiErrorOf({
    status,
    type: null,
    code: null,
    message: `It is ${status}`,
    requestId,
    queueVersion: null,
    retryAfterMs: null,
    shouldRetry: null
  })

describe("a problem", () => {
  it("is told in the server's words, with the request's number", () => {
    assert.deepInclude(explain(refused(404, "req_1")), { message: "It is 404", requestId: "req_1" })
    assert.instanceOf(refused(401), AuthenticationError)
  })

  it("says what to do for every status that there is, and for those to come", () => {
    for (const status of [400, 401, 403, 404, 409, 413, 418, 429, 500, 503, 529]) {
      const { advice, title } = explain(refused(status))
      assert.isAbove(title.length * advice.length, 0, String(status))
    }
  })

  it("is told too where nobody answered, nobody in time, or something else", () => {
    assert.include(explain(new ConnectionError("refused")).message, "Nothing was lost")
    assert.include(explain(new TimeoutError("late")).message, "in time")
    const other = explain(new InvalidAnswerError("The server's answer is not JSON", "req_2"))
    assert.deepInclude(other, { title: "Something else answered", requestId: "req_2" })
    assert.strictEqual(explain(new TypeError("x is undefined")).title, "The console made a mistake")
    assert.strictEqual(explain(new Refused("a.zip")).title, "That was not taken")
    assert.strictEqual(explain("words").message, "words")
  })

  it("lasts where asking again can't help", () => {
    assert.deepStrictEqual(
      [400, 401, 403, 404, 410, 408, 409, 429, 500, 503].filter((status) => isLasting(refused(status))),
      [400, 401, 403, 404, 410]
    )
    assert.isFalse(isLasting(new ConnectionError("refused")))
    assert.isFalse(isLasting(null))
  })
})

describe("an address of a session", () => {
  it("that is none says so, with what it may be and the request's number", () => {
    const missing = missingSession("sesn_1", 0, refused(404, "req_1"))
    assert.strictEqual(missing?.requestId, "req_1")
    assert.include(missing?.text ?? "", "sesn_1")
    assert.include(missingSession("nonsense", 0, refused(400))?.text ?? "", "nonsense is not the id")
  })

  it("leads to the session where it was seen, or where nothing is known of it", () => {
    assert.isNull(missingSession("sesn_1", 12, refused(404)))
    assert.isNull(missingSession("sesn_1", 0, refused(500)))
    assert.isNull(missingSession("sesn_1", 0, new ConnectionError("refused")))
    assert.isNull(missingSession("sesn_1", 0, null))
  })
})
