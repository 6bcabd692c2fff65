import { ApiError, AuthenticationError, ConnectionError, InvalidAnswerError, TimeoutError } from "@troupe/client"
import { apiErrorOf } from "@troupe/client/errors"
import { assert, describe, it } from "vitest"
import { isLasting } from "../../src/api/lasting.logic.ts"
import { explainLogin } from "../../src/app/login.logic.ts"
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

  it("says what happened, what it did no harm to and what to do, for every kind that there is or may come", () => {
    const statuses = [400, 401, 403, 404, 405, 409, 413, 418, 429, 500, 503, 529]
    const answered = statuses.map((status) => refused(status, "req_1"))
    const kinds: ReadonlyArray<readonly [error: unknown, requestId: string | null]> = [
      ...answered.map((error) => [error, "req_1"] as const),
      [new ConnectionError("refused"), null],
      [new TimeoutError("late"), null],
      [new InvalidAnswerError("The server's answer is not JSON", "req_2"), "req_2"],
      [new TypeError("x is undefined"), null],
      [new Refused("a.zip"), null],
      ["words", null]
    ]
    for (const [error, requestId] of kinds) {
      for (const tell of [explain, explainLogin("key"), explainLogin("link")]) {
        const { advice, message, title, unaffected, ...rest } = tell(error)
        for (const text of [title, message]) assert.isAbove(text.length, 3, String(error))
        for (const sentence of [unaffected, advice]) assert.match(sentence, /^[A-Z].*(\.|npx troupe status)$/)
        assert.deepStrictEqual(rest, { requestId })
      }
    }
  })

  it("says of a key and of a link that nobody is let in by that they are it, and of all else what it is", () => {
    assert.strictEqual(explain(refused(401)).title, "You are not signed in any more")
    assert.strictEqual(explainLogin("key")(refused(401)).title, "That key lets nobody in")
    assert.strictEqual(explainLogin("link")(refused(401)).title, "That link lets nobody in any more")
    for (const error of [refused(429), refused(500), new ConnectionError("refused")]) {
      assert.deepStrictEqual(explainLogin("key")(error), explain(error))
    }
  })

  it("is told too where nobody answered, nobody in time, or something else", () => {
    assert.include(explain(new ConnectionError("refused")).unaffected, "Nothing was lost")
    assert.include(explain(new TimeoutError("late")).message, "in time")
    assert.strictEqual(explain(new InvalidAnswerError("not JSON", null)).title, "Something else answered")
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
