import type { Prng } from "../../../../test/support/Prng.ts"

const longText = "x".repeat(70_000)

/** What nobody should send in place of a value, and somebody does. */
const strangeValues: ReadonlyArray<unknown> = [
  null,
  true,
  0,
  -1,
  1.5,
  2 ** 53,
  1e308,
  "",
  " ",
  "\u0000",
  "\ud800",
  "ünïcödé 🦜 \u202e",
  "'; DROP TABLE events; --",
  "../../../../etc/passwd",
  "{{7*7}}",
  "2024-02-30T25:61:61Z",
  "9999-12-31T23:59:59Z",
  "-infinity",
  longText,
  [],
  [null],
  [[[[[[]]]]]],
  {},
  { $ref: "#" },
  { type: "nothing" }
]

const fieldNames = ["__proto__", "constructor", "toString", "$where", "", "unknown_field", "type", "id"]

/** A value with one thing wrong in it, somewhere. */
export const spoil = (random: Prng, value: unknown): unknown => {
  if (random.chance(0.25)) return random.pick(strangeValues)
  if (Array.isArray(value)) {
    if (value.length === 0 || random.chance(0.2)) return [...value, random.pick(strangeValues)]
    if (random.chance(0.1)) return Array.from({ length: 300 }, () => value[0] as unknown)
    const at = random.int(value.length)
    return value.map((one, n) => (n === at ? spoil(random, one) : (one as unknown)))
  }
  if (typeof value !== "object" || value === null) return random.pick(strangeValues)
  const entries = Object.entries(value)
  if (entries.length === 0 || random.chance(0.2)) {
    // Written as JSON, so that `__proto__` is a field like others.
    const name = random.pick(fieldNames)
    const rest = JSON.stringify(value).slice(1, -1)
    const added = `${JSON.stringify(name)}:${JSON.stringify(random.pick(strangeValues) ?? null)}`
    return JSON.parse(`{${rest === "" ? "" : `${rest},`}${added}}`) as unknown
  }
  const at = random.int(entries.length)
  if (random.chance(0.2)) return Object.fromEntries(entries.filter((_, n) => n !== at))
  return Object.fromEntries(
    entries.map(([key, inner], n) => [key, n === at ? spoil(random, inner) : (inner as unknown)])
  )
}

/** A body that is no JSON of ours, with what it claims to be. */
export const brokenBodies: ReadonlyArray<readonly [body: string | Uint8Array<ArrayBuffer>, type: string]> = [
  ["", "application/json"],
  ["{", "application/json"],
  ["null", "application/json"],
  ["[]", "application/json"],
  ['"text"', "application/json"],
  ["1e999", "application/json"],
  [`{"a":${"[".repeat(2_000)}${"]".repeat(2_000)}}`, "application/json"],
  ['{"name":"\\u0000","model":"demo"}', "application/json"],
  ['{"name":"\\ud800","model":"demo"}', "application/json"],
  [new Uint8Array([0x7b, 0xff, 0xfe, 0x7d]), "application/json"],
  ["name=a&model=demo", "application/x-www-form-urlencoded"],
  ["--x\r\ncontent-disposition: form-data\r\n\r\n", "multipart/form-data; boundary=x"],
  ["--x--", "multipart/form-data; boundary=x"],
  ["{}", "text/plain"],
  ["{}", "application/json; charset=utf-16"],
  ["{}", "nonsense"]
]

export const strangeParts: ReadonlyArray<string> = [
  "x",
  "0",
  "-1",
  "%00",
  "%2e%2e",
  "%2F",
  "sesn_",
  "sesn_01",
  "agent_011CZkZAtmR3yMPDzynEDxu7",
  "sesn_01zzzzzzzzzzzzzzzzzzzzzz",
  "%F0%9F%A6%9C",
  "a".repeat(3_000)
]

export const strangeQueries: ReadonlyArray<string> = [
  "limit=0",
  "limit=-1",
  "limit=1",
  "limit=1e9",
  "limit=NaN",
  "limit=1&limit=2",
  "page=page_",
  "page=page_WyJzZXNzaW9ucyIsImRlc2MiLDFlMzAwLCJ4IiwiYWZ0ZXIiXQ",
  "page=page_WyJ0b2tlbnMiLDkwMDcxOTkyNTQ3NDA5OTEsInRva18wMTEiXQ",
  "page=page_WyJ3b3Jrc3BhY2VzIiwieCJd",
  "order=up",
  "after=-1",
  "after=99999999999",
  "created_at[gte]=9999-12-31",
  "created_at[lt]=0000-01-01",
  "statuses[]=x",
  "types[]=",
  "token=trp_str_x",
  "%ff=%fe",
  "__proto__=x",
  "a".repeat(4_000)
]

/** What is no number of anything, or more than a column of a table holds. */
export const strangeNumbers: ReadonlyArray<string> = [
  "-1",
  "0",
  "1.5",
  "2147483647",
  "2147483648",
  "99999999999",
  "-99999999999",
  "9007199254740991",
  "1e21",
  "NaN"
]

/** A cursor as its list made it, but for its numbers. */
export const strangeCursor = (random: Prng, cursor: string): string => {
  const parts = JSON.parse(Buffer.from(cursor.slice("page_".length), "base64url").toString()) as Array<unknown>
  const other = parts.map((part) => (typeof part === "number" ? Number(random.pick(strangeNumbers)) : part))
  return `page_${Buffer.from(JSON.stringify(other)).toString("base64url")}`
}

export const strangeHeaders: ReadonlyArray<Readonly<Record<string, string>>> = [
  {},
  {},
  {},
  { "idempotency-key": "x" },
  { "idempotency-key": "y".repeat(256) },
  { "last-event-id": "-1" },
  { "last-event-id": "99999999999999999999" },
  { range: "bytes=5-1" },
  { range: "bytes=-99999999999999999999" },
  { "if-none-match": '"x"' },
  { accept: "nonsense/*" },
  { "accept-encoding": "nonsense;q=9" },
  { "anthropic-beta": "x".repeat(2_000) },
  { cookie: "troupe_session=%00; a=b; =;" },
  { "content-encoding": "gzip" },
  { "x-http-method-override": "DELETE" }
]
