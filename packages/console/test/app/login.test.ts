import { assert, describe, it } from "vitest"
import { pathAfter, tokenIn, wantedIn, wantedText } from "../../src/app/login.logic.ts"

describe("a login", () => {
  it("takes the token of a link, and leads to the page that was asked for", () => {
    assert.strictEqual(tokenIn("#secret"), "secret")
    assert.isNull(tokenIn("#"))
    assert.strictEqual(pathAfter("/w/wrkspc_1/inbox?call=1", "wrkspc_1"), "/w/wrkspc_1/inbox?call=1")
    for (const elsewhere of [undefined, "/w/wrkspc_2/inbox", "https://example.com/", "//example.com/w/wrkspc_1/"]) {
      assert.strictEqual(pathAfter(elsewhere, "wrkspc_1"), "/")
    }
  })

  it("remembers that page as long as a link is good", () => {
    const text = wantedText("/w/wrkspc_1/inbox", 1_000)
    assert.strictEqual(wantedIn(text, 1_000 + 599_999), "/w/wrkspc_1/inbox")
    assert.isUndefined(wantedIn(text, 1_000 + 600_000))
    for (const other of [null, "", "{", "null", "[]", '{"path":1,"at":1}', '{"path":"/w/"}']) {
      assert.isUndefined(wantedIn(other, 1_000), String(other))
    }
  })
})
