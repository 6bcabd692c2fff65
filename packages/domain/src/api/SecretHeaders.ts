import { Schema } from "effect"

const headerName = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$/
const headerValue = /^[\t\x20-\x7e]{1,8192}$/

/** Headers that may hold credentials: taken in, and never shown again. */
export const SecretHeaders = Schema.Record(
  Schema.String.check(Schema.isPattern(headerName)),
  Schema.String.check(Schema.isPattern(headerValue))
).check(Schema.makeFilter((all: object) => Object.keys(all).length <= 32, { expected: "at most 32 headers" }))
