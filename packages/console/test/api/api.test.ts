import { assert, describe, it } from "vitest"
import { asProblem, problemOf, unreachable } from "../../src/api/ApiProblem.ts"
import { query } from "../../src/api/http.ts"
import { type ServerEvent, serverEvents } from "../../src/api/sse.ts"
import { explain } from "../../src/ui/problem.logic.ts"

const streamOf = (...chunks: ReadonlyArray<string>) => {
  const bytes = new TextEncoder()
  return new ReadableStream<Uint8Array>({
    start: (controller) => {
      for (const chunk of chunks) controller.enqueue(bytes.encode(chunk))
      controller.close()
    }
  })
}

const all = async (stream: ReadableStream<Uint8Array>) => {
  const events: Array<ServerEvent> = []
  for await (const batch of serverEvents(stream)) events.push(...batch)
  return events
}

describe("server-sent events", () => {
  it("are read across any cut of the bytes, also within a character", async () => {
    const text = 'id: 7\nevent: Noted\ndata: {"a":"é"}\n\n'
    const bytes = new TextEncoder().encode(text)
    for (let at = 1; at < bytes.length; at++) {
      const stream = new ReadableStream<Uint8Array>({
        start: (controller) => {
          controller.enqueue(bytes.slice(0, at))
          controller.enqueue(bytes.slice(at))
          controller.close()
        }
      })
      assert.deepStrictEqual(await all(stream), [{ id: "7", name: "Noted", data: '{"a":"é"}' }])
    }
  })

  it("leave out comments, and an event that was cut off", async () => {
    assert.deepStrictEqual(await all(streamOf(": ping\n\ndata: a\ndata: b\n\nid: 9\ndata: c")), [
      { id: null, name: "message", data: "a\nb" }
    ])
  })
})

describe("a request", () => {
  it("leaves out what is not asked for, and repeats what is asked for often", () => {
    assert.strictEqual(query({ a: "", b: undefined, c: null, "s[]": ["x", "y"], n: 0 }), "?s%5B%5D=x&s%5B%5D=y&n=0")
    assert.strictEqual(query({}), "")
  })
})

describe("a problem", () => {
  it("is told in the server's words, with the request's number", () => {
    const body = { error: { type: "not_found_error", message: "No such session" }, request_id: "req_1" }
    const problem = problemOf(404, body, null)
    assert.deepInclude(problem, {
      status: 404,
      kind: "not_found_error",
      message: "No such session",
      requestId: "req_1"
    })
  })

  it("is told too where a proxy answered, or nobody", () => {
    assert.deepInclude(problemOf(502, "<html>", "req_2"), { status: 502, requestId: "req_2" })
    assert.strictEqual(unreachable().status, 0)
    assert.strictEqual(asProblem(new Error("x")).kind, "console_error")
  })

  it("says what to do for every status that there is", () => {
    for (const status of [0, 400, 401, 403, 404, 409, 413, 429, 500, 529]) {
      const { advice, title } = explain({ kind: "api_error", status })
      assert.isAbove(title.length * advice.length, 0)
    }
  })
})
