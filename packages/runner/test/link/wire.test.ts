import { assert, describe, it } from "@effect/vitest"
import { RunRequest } from "@troupe/domain/runner/Attempt"
import { Hello } from "@troupe/domain/runner/Hello"
import { Schema, Struct } from "effect"
import * as SchemaBinary from "effect/encoding/SchemaBinary"
import { runRequest } from "../support/requests.ts"

/** What one side writes by its contract, as another reads it by its own. */
const told = <A, B>(from: Schema.Codec<A, unknown>, to: Schema.Codec<B, unknown>, value: A): B =>
  Schema.decodeSync(SchemaBinary.toCodec(to))(Schema.encodeSync(SchemaBinary.toCodec(from))(value))

const Before = Schema.Struct(Struct.omit(RunRequest.fields, ["sleeps"]))
const Later = Schema.Struct({ ...RunRequest.fields, later: Schema.Struct({ anything: Schema.Array(Schema.Int) }) })

describe("what crosses the wire between versions", () => {
  it("is read without what its reader does not know", () => {
    const { sleeps: _, ...plain } = { ...runRequest(1), sleeps: true }
    assert.deepStrictEqual(told(RunRequest, Before, { ...plain, sleeps: true }), plain)
    assert.deepStrictEqual(told(Later, RunRequest, { ...plain, later: { anything: [1, 2] } }), plain)
  })

  it("is read where its writer did not know all that came since", () => {
    const { sleeps: _, ...plain } = { ...runRequest(1), sleeps: true }
    assert.deepStrictEqual(told(Before, RunRequest, plain), plain)
    const First = Schema.Struct(Struct.omit(Hello.fields, ["profiles", "hostVariables"]))
    const hello = {
      ...{ version: 1, release: "0.0.9", bootId: "b", journalId: "j", name: "old", labels: [], draining: false },
      ...{ capacity: { attempts: 1, sessions: 1 }, harnesses: [], sandboxes: [], defaultSandbox: null, models: [] },
      attempts: []
    }
    assert.deepStrictEqual(told(First, Hello, hello), hello)
  })
})
