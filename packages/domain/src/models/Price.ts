import { Schema } from "effect"
import { searchMicroUsd, type Usage } from "../session/Usage.ts"

const MicroUsd = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))

/** What a model costs, in millionths of a dollar for a million tokens. */
export const Price = Schema.Struct({
  input: MicroUsd,
  output: MicroUsd,
  cacheRead: MicroUsd,
  cacheWrite5m: MicroUsd,
  cacheWrite1h: MicroUsd
})
export type Price = typeof Price.Type

/** Prices by model; a name that ends in `*` is the price of every model that begins so. The longest match counts. */
export const PriceTable = Schema.Record(Schema.String, Price)
export type PriceTable = typeof PriceTable.Type

/** The price of a model, or null: unknown is not free. */
export const priceOf = (table: PriceTable, model: string): Price | null => {
  const exact = table[model]
  if (exact !== undefined) return exact
  const prefixes = Object.keys(table).filter((name) => name.endsWith("*") && model.startsWith(name.slice(0, -1)))
  const longest = prefixes.reduce((best, name) => (name.length > best.length ? name : best), "")
  return longest === "" ? null : table[longest]!
}

/** The price that the first table knows which knows any. */
export const firstPrice = (tables: ReadonlyArray<PriceTable>, model: string): Price | null => {
  for (const table of tables) {
    const price = priceOf(table, model)
    if (price !== null) return price
  }
  return null
}

type Counted = Omit<Usage, "source" | "costMicroUsd">

/** What a request cost, rounded up to a millionth of a dollar; null where the price is not known. */
export const costOf = (price: Price | null, usage: Counted): number | null => {
  if (price === null) return null
  const perMillion =
    usage.inputTokens * price.input +
    usage.outputTokens * price.output +
    usage.cacheReadTokens * price.cacheRead +
    usage.cacheWrite5mTokens * price.cacheWrite5m +
    usage.cacheWrite1hTokens * price.cacheWrite1h
  return Math.ceil(perMillion / 1_000_000) + usage.webSearches * searchMicroUsd
}
