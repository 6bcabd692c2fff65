import { assert, describe, it } from "@effect/vitest"
import { LogUnreadable, make, type Stored } from "../../src/log/EventCodec.ts"
import * as Codec from "../../src/session/Codec.ts"
import { SessionEvent, type SessionEventTag } from "../../src/session/SessionEvent.ts"
import { Result, Schema, SchemaGetter } from "effect"

const stored = (encoded: {
  readonly type: string
  readonly version: number
  readonly payload: string | null
}): Stored => ({
  ...encoded,
  streamId: "sesn_1",
  seq: 7
})

/** What JSON keeps of a value. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

const failure = (result: Result.Result<unknown, LogUnreadable>): LogUnreadable => {
  if (Result.isSuccess(result)) throw new Error("it was read")
  assert.include(result.failure.message, "Event 7 of sesn_1 can't be read")
  return result.failure
}

describe("Codec", () => {
  for (const tag of Object.keys(SessionEvent.cases) as Array<SessionEventTag>) {
    const schema = SessionEvent.cases[tag] as unknown as Schema.Codec<SessionEvent>
    it.prop(
      `reads back every ${tag}`,
      [schema],
      ([event]) => {
        const encoded = Codec.encode(event)
        assert.strictEqual(encoded.type, tag)
        assert.strictEqual(encoded.version, 1)
        for (const decode of [Codec.decodeFast, Codec.decodeStrict]) {
          const decoded = Result.getOrThrow(decode(stored(encoded)))
          assert.deepStrictEqual(plain(decoded), plain(event))
          // As values: the same text has more than one way to be escaped.
          assert.deepStrictEqual(JSON.parse(Codec.encode(decoded).payload), JSON.parse(encoded.payload))
        }
      },
      { arbitrary: { runs: 30 } }
    )
  }

  it("keeps what databases and encoders trip over", () => {
    const event = SessionEvent.cases.SkillLoaded.make({ name: 'a\0b \ud83d \u2028 "', version: "😀" })
    const encoded = Codec.encode(event)
    assert.notInclude(encoded.payload, "\0")
    assert.notMatch(encoded.payload, /\ud83d(?![\udc00-\udfff])/)
    assert.deepStrictEqual(plain(Result.getOrThrow(Codec.decodeFast(stored(encoded)))), plain(event))
  })

  const good = Codec.encode({ _tag: "SessionPaused", at: 1 })
  for (const decode of [Codec.decodeFast, Codec.decodeStrict]) {
    it(`names what it can't read (${decode === Codec.decodeFast ? "fast" : "strict"})`, () => {
      const reasonOf = (change: Partial<Stored>) => failure(decode({ ...stored(good), ...change })).reason
      assert.deepStrictEqual(reasonOf({ type: "Teleported" }), { _tag: "UnknownType", type: "Teleported" })
      assert.deepStrictEqual(reasonOf({ version: 2 }), {
        _tag: "NewerVersion",
        type: "SessionPaused",
        version: 2,
        known: 1
      })
      for (const payload of [null, "", "{", "[]", "1", "null", `"text"`]) {
        assert.strictEqual(reasonOf({ payload })._tag, "Corrupt", `${payload}`)
      }
      assert.strictEqual(reasonOf({ version: 0 })._tag, "Corrupt")
      assert.strictEqual(reasonOf({ type: "constructor" })._tag, "UnknownType")
    })
  }

  it("finds a wrong field when it reads strictly", () => {
    const { reason } = failure(Codec.decodeStrict({ ...stored(good), payload: `{"at":"noon"}` }))
    assert.strictEqual(reason._tag, "Corrupt")
    assert.include(reason._tag === "Corrupt" ? reason.detail : "", "at")
  })

  it("lets a field pass that a later release added", () => {
    const event = Result.getOrThrow(Codec.decodeStrict({ ...stored(good), payload: `{"at":1,"why":"tea"}` }))
    assert.deepStrictEqual(event, { _tag: "SessionPaused", at: 1 })
  })
})

describe("A type with three shapes", () => {
  const V3 = Schema.TaggedStruct("Paid", { costMicroUsd: Schema.Int, currency: Schema.String })
  const V2 = Schema.TaggedStruct("Paid", { costMicroUsd: Schema.Int }).pipe(
    Schema.decodeTo(Schema.toType(V3), {
      decode: SchemaGetter.transform(({ costMicroUsd }) => V3.make({ costMicroUsd, currency: "USD" })),
      encode: SchemaGetter.transform(({ costMicroUsd }) => ({ _tag: "Paid" as const, costMicroUsd }))
    })
  )
  const V1 = Schema.TaggedStruct("Paid", { costCents: Schema.Int }).pipe(
    Schema.decodeTo(Schema.toType(V3), {
      decode: SchemaGetter.transform(({ costCents }) => V3.make({ costMicroUsd: costCents * 10_000, currency: "USD" })),
      encode: SchemaGetter.transform(({ costMicroUsd }) => ({
        _tag: "Paid" as const,
        costCents: Math.round(costMicroUsd / 10_000)
      }))
    })
  )
  const codec = make<typeof V3.Type>({ Paid: [V3, V2, V1] }, { Paid: [2, 2, 4] })
  const read = (version: number, payload: string) => codec.decodeFast(stored({ type: "Paid", version, payload }))

  it("is written in the newest", () => {
    const written = codec.encode(V3.make({ costMicroUsd: 5, currency: "EUR" }))
    assert.deepStrictEqual(written, { type: "Paid", version: 3, payload: `{"costMicroUsd":5,"currency":"EUR"}` })
  })

  it("is written in the newest that readers of a format know, and not at all before there is one", () => {
    const paid = V3.make({ costMicroUsd: 20_000, currency: "EUR" })
    assert.strictEqual(codec.format, 4)
    assert.deepStrictEqual(codec.encodeIn(paid, 5), codec.encode(paid))
    assert.deepStrictEqual(codec.encodeIn(paid, 4), codec.encode(paid))
    assert.deepStrictEqual(codec.encodeIn(paid, 3), { type: "Paid", version: 2, payload: `{"costMicroUsd":20000}` })
    assert.strictEqual(codec.encodeIn(paid, 1), null)
  })

  it("is written as the one in whose place it stands", () => {
    const paid = V3.make({ costMicroUsd: 20_000, currency: "EUR" })
    assert.deepStrictEqual(codec.encodeAs(paid, 1), { type: "Paid", version: 1, payload: `{"costCents":2}` })
    assert.deepStrictEqual(codec.encodeAs(paid, 3), codec.encode(paid))
  })

  it("is read in each", () => {
    const paid = V3.make({ costMicroUsd: 20_000, currency: "USD" })
    assert.deepStrictEqual(Result.getOrThrow(read(3, `{"costMicroUsd":20000,"currency":"USD"}`)), paid)
    assert.deepStrictEqual(Result.getOrThrow(read(2, `{"costMicroUsd":20000}`)), paid)
    assert.deepStrictEqual(Result.getOrThrow(read(1, `{"costCents":2}`)), paid)
  })

  it("checks old shapes even when it reads fast", () => {
    assert.strictEqual(failure(read(1, `{"costMicroUsd":20000}`)).reason._tag, "Corrupt")
    assert.deepStrictEqual(failure(read(4, "{}")).reason, { _tag: "NewerVersion", type: "Paid", version: 4, known: 3 })
  })
})
