import type { ModelCard } from "@troupe/client"

type Price = NonNullable<ModelCard["price"]>

/** What has a price of its own, in the order in which price lists have it. */
export const priceParts = [
  { id: "input", title: "Input" },
  { id: "output", title: "Output" },
  { id: "cache_read", title: "Read from cache" },
  { id: "cache_write_5m", title: "Kept 5 minutes" },
  { id: "cache_write_1h", title: "Kept an hour" }
] as const satisfies ReadonlyArray<{ readonly id: keyof Price; readonly title: string }>

/** A price as somebody writes it: dollars for a million tokens. */
export type PriceDraft = Readonly<Record<(typeof priceParts)[number]["id"], string>>

const microUsdInDollar = 1_000_000

const each = <A>(to: (id: keyof Price) => A): Readonly<Record<keyof Price, A>> => ({
  input: to("input"),
  output: to("output"),
  cache_read: to("cache_read"),
  cache_write_5m: to("cache_write_5m"),
  cache_write_1h: to("cache_write_1h")
})

export const priceDraftOf = (price: Price | null): PriceDraft =>
  each((id) => (price === null ? "" : String(price[id] / microUsdInDollar)))

/** Null where nothing is written, undefined where it is not a whole price. */
export const priceIn = (draft: PriceDraft): Price | null | undefined => {
  const texts = priceParts.map(({ id }) => draft[id].trim())
  if (texts.every((text) => text === "")) return null
  if (!texts.every((text) => /^\d{1,7}([.,]\d{1,6})?$/.test(text))) return undefined
  return each((id) => Math.round(Number(draft[id].trim().replace(",", ".")) * microUsdInDollar))
}
