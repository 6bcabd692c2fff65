import { assert } from "@effect/vitest"

/** What a file holds of which parts are asked for. */
export const rangedText = "<script>alert(1)</script>"

const ranges: ReadonlyArray<readonly [string, number, string, string | null]> = [
  ["bytes=0-7", 206, "<script>", "bytes 0-7/25"],
  ["bytes=-9", 206, "</script>", "bytes 16-24/25"],
  ["bytes=20-", 206, "ript>", "bytes 20-24/25"],
  ["bytes=20-900", 206, "ript>", "bytes 20-24/25"],
  ["bytes=0-24", 200, rangedText, null],
  ["bytes=7-3", 200, rangedText, null],
  ["bytes=0-1,3-4", 200, rangedText, null],
  ["lines=1", 200, rangedText, null]
]

/** Asks for parts of a file that holds `rangedText`: those there are, and those there are not. */
export const takesRanges = async (get: (headers: Record<string, string>) => Promise<Response>) => {
  for (const [range, status, text, contentRange] of ranges) {
    const part = await get({ range })
    assert.deepStrictEqual(
      [part.status, await part.text(), part.headers.get("content-range")],
      [status, text, contentRange],
      range
    )
  }
  for (const range of ["bytes=25-", "bytes=-0"]) {
    const beyond = await get({ range })
    assert.deepStrictEqual([beyond.status, beyond.headers.get("content-range")], [416, "bytes */25"], range)
    const { error, request_id, type } = (await beyond.json()) as Record<string, unknown>
    assert.deepStrictEqual([type, request_id], ["error", beyond.headers.get("request-id")])
    assert.deepInclude(error, { type: "invalid_request_error", message: "Range: nothing of the file is in it" })
  }
  const stale = await get({ range: "bytes=0-7", "if-range": '"another"' })
  assert.deepStrictEqual([stale.status, await stale.text()], [200, rangedText])
}
