import { ConnectionError, TimeoutError } from "@troupe/client"
import { assert, describe, it } from "@effect/vitest"
import { unreachable } from "../../src/connection/unreachable.ts"

const url = "https://troupe.example.com"

/** As `fetch` fails: what the system said is below. */
const failed = (code: string) => {
  const cause = new TypeError("fetch failed", {
    cause: Object.assign(new Error(`connect ${code} 192.0.2.1`), { code })
  })
  return new ConnectionError(`${url} can't be reached: fetch failed: connect ${code}`, { cause })
}

describe("A server that can't be reached", () => {
  it("is told of in words, by what the system says", () => {
    assert.strictEqual(unreachable(url, failed("ECONNREFUSED")), `${url} can't be reached: nothing listens there.`)
    assert.include(unreachable(url, failed("EAI_AGAIN")), "is this host on a network?")
    assert.include(unreachable(url, failed("ENETUNREACH")), "is this host on a network?")
    assert.include(unreachable(url, failed("DEPTH_ZERO_SELF_SIGNED_CERT")), "NODE_EXTRA_CA_CERTS")
  })

  it("is told of as it is where nobody knows better, and as late where no answer came", () => {
    assert.strictEqual(unreachable(url, failed("EODD")), `${url} can't be reached: connect EODD.`)
    assert.include(unreachable(url, new TimeoutError("No answer within 5 ms")), "no answer came in time")
  })
})
