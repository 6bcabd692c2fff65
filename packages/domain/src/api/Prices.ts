import { Schema } from "effect"
import type { Price, PriceTable } from "../models/Price.ts"

const MicroUsd = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1_000_000_000_000 }))

/** What a million tokens cost, in millionths of a dollar. */
export const PriceShown = Schema.Struct({
  input: MicroUsd,
  output: MicroUsd,
  cache_read: MicroUsd,
  cache_write_5m: MicroUsd,
  cache_write_1h: MicroUsd
}).annotate({ identifier: "Price" })
export type PriceShown = typeof PriceShown.Type

export const priceIn = (price: PriceShown): Price => ({
  input: price.input,
  output: price.output,
  cacheRead: price.cache_read,
  cacheWrite5m: price.cache_write_5m,
  cacheWrite1h: price.cache_write_1h
})

export const priceOut = (price: Price): PriceShown => ({
  input: price.input,
  output: price.output,
  cache_read: price.cacheRead,
  cache_write_5m: price.cacheWrite5m,
  cache_write_1h: price.cacheWrite1h
})

const each = <A, B>(table: Readonly<Record<string, A>>, change: (value: A) => B): Readonly<Record<string, B>> =>
  Object.fromEntries(Object.entries(table).map(([name, value]) => [name, change(value)]))

export const pricesIn = (table: Readonly<Record<string, PriceShown>>): PriceTable => each(table, priceIn)
export const pricesOut = (table: PriceTable): Readonly<Record<string, PriceShown>> => each(table, priceOut)
