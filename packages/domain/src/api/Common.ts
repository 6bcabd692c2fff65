import { Schema } from "effect"
import { type ApiFailure, invalid } from "./ApiError.ts"

/** At most 16 pairs that are the client's own. */
const key = Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(64))
const value = Schema.String.check(Schema.isMaxLength(512))
const metadataPairsMax = 16

const fewPairs = Schema.makeFilter((bag: object) => Object.keys(bag).length <= metadataPairsMax, {
  expected: `at most ${metadataPairsMax} pairs`
})

// A check of its own: to a record, a key that it does not take is a field too many.
const goodKeys = Schema.isPropertyNames(key)

export const Metadata = Schema.Record(Schema.String, value).check(goodKeys, fewPairs)

/** Keys to set, and with null keys to take away. */
export const MetadataPatch = Schema.Record(Schema.String, Schema.NullOr(value)).check(goodKeys)

/** What a bag is refused with that patches have made too large. */
export const tooManyPairs = (bag: object): ApiFailure | undefined =>
  Object.keys(bag).length <= metadataPairsMax
    ? undefined
    : invalid(`metadata: at most ${metadataPairsMax} pairs are kept`, "invalid_metadata")

/** What remains of a bag after a patch. Some resources take an empty string for null. */
export const patched = (
  bag: Readonly<Record<string, string>>,
  patch: Readonly<Record<string, string | null>> | null | undefined,
  options: { readonly emptyDeletes?: boolean } = {}
): Readonly<Record<string, string>> => {
  if (patch === undefined) return bag
  if (patch === null) return {}
  const merged: Record<string, string> = { ...bag }
  for (const [name, value] of Object.entries(patch)) {
    if (value === null || (value === "" && options.emptyDeletes === true)) delete merged[name]
    else merged[name] = value
  }
  return merged
}

export const Text = (maximum: number) => Schema.String.check(Schema.isMaxLength(maximum))
export const Name = (maximum: number) => Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(maximum))
