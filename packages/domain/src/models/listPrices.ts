import type { Price, PriceTable } from "./Price.ts"

const price = (
  input: number,
  output: number,
  cacheRead: number,
  cacheWrite5m: number,
  cacheWrite1h: number
): Price => ({ input, output, cacheRead, cacheWrite5m, cacheWrite1h })

export interface ListPrices {
  /** Where they were read. */
  readonly source: string
  /** When, as year and month. */
  readonly read: string
  readonly prices: PriceTable
}

/**
 * What makers of models ask in public, in millionths of a dollar for a million tokens, with where each was read and when. A model
 * whose price was not read there, or depends on how long a prompt is, is not among them: an unknown price is better than a wrong
 * one.
 */
export const listPriceSources: ReadonlyArray<ListPrices> = [
  {
    source: "https://platform.claude.com/docs/en/about-claude/pricing",
    read: "2026-11",
    prices: {
      "claude-fable-5-1*": price(10_000_000, 50_000_000, 250_000, 12_500_000, 20_000_000),
      "claude-fable-5*": price(10_000_000, 50_000_000, 1_000_000, 12_500_000, 20_000_000),
      "claude-opus-5-5*": price(4_000_000, 20_000_000, 200_000, 5_000_000, 8_000_000),
      "claude-opus-5*": price(5_000_000, 25_000_000, 500_000, 6_250_000, 10_000_000),
      "claude-opus-4-5*": price(5_000_000, 25_000_000, 500_000, 6_250_000, 10_000_000),
      "claude-opus-4-6*": price(5_000_000, 25_000_000, 500_000, 6_250_000, 10_000_000),
      "claude-opus-4-7*": price(5_000_000, 25_000_000, 500_000, 6_250_000, 10_000_000),
      "claude-opus-4-8*": price(5_000_000, 25_000_000, 500_000, 6_250_000, 10_000_000),
      "claude-opus-4-1*": price(15_000_000, 75_000_000, 1_500_000, 18_750_000, 30_000_000),
      "claude-opus-4-20250514": price(15_000_000, 75_000_000, 1_500_000, 18_750_000, 30_000_000),
      "claude-opus-4-0": price(15_000_000, 75_000_000, 1_500_000, 18_750_000, 30_000_000),
      "claude-sonnet-5-5*": price(2_000_000, 10_000_000, 100_000, 2_500_000, 4_000_000),
      "claude-sonnet-5*": price(2_000_000, 10_000_000, 200_000, 2_500_000, 4_000_000),
      "claude-sonnet-4*": price(3_000_000, 15_000_000, 300_000, 3_750_000, 6_000_000),
      "claude-haiku-4-5*": price(1_000_000, 5_000_000, 100_000, 1_250_000, 2_000_000)
    }
  },
  {
    source: "https://developers.openai.com/api/docs/models",
    read: "2026-11",
    prices: {
      "gpt-5.4-nano": price(200_000, 1_250_000, 20_000, 200_000, 200_000),
      "gpt-5-codex": price(1_250_000, 10_000_000, 125_000, 1_250_000, 1_250_000),
      "gpt-5-mini*": price(250_000, 2_000_000, 25_000, 250_000, 250_000),
      "gpt-5-nano*": price(50_000, 400_000, 5_000, 50_000, 50_000)
    }
  },
  {
    source: "https://platform.openai.com/docs/pricing",
    read: "2025-06",
    prices: {
      "gpt-4.1": price(2_000_000, 8_000_000, 500_000, 2_000_000, 2_000_000),
      "gpt-4.1-2025*": price(2_000_000, 8_000_000, 500_000, 2_000_000, 2_000_000),
      "gpt-4.1-mini*": price(400_000, 1_600_000, 100_000, 400_000, 400_000),
      "gpt-4.1-nano*": price(100_000, 400_000, 25_000, 100_000, 100_000),
      "gpt-4o": price(2_500_000, 10_000_000, 1_250_000, 2_500_000, 2_500_000),
      "gpt-4o-2024-08*": price(2_500_000, 10_000_000, 1_250_000, 2_500_000, 2_500_000),
      "gpt-4o-2024-11*": price(2_500_000, 10_000_000, 1_250_000, 2_500_000, 2_500_000)
    }
  }
]

/** The same for what models do at a higher speed, where they are asked for one. */
export const fastListPriceSources: ReadonlyArray<ListPrices> = [
  {
    source: "https://openai.com/api-priority-processing/",
    read: "2025-06",
    prices: {
      "gpt-4.1": price(3_500_000, 14_000_000, 875_000, 3_500_000, 3_500_000),
      "gpt-4.1-2025*": price(3_500_000, 14_000_000, 875_000, 3_500_000, 3_500_000),
      "gpt-4.1-mini*": price(700_000, 2_800_000, 175_000, 700_000, 700_000),
      "gpt-4.1-nano*": price(200_000, 800_000, 50_000, 200_000, 200_000),
      "gpt-4o-2024-08*": price(4_250_000, 17_000_000, 2_125_000, 4_250_000, 4_250_000),
      "gpt-4o-2024-11*": price(4_250_000, 17_000_000, 2_125_000, 4_250_000, 4_250_000)
    }
  }
]

export const fastListPrices: PriceTable = Object.assign({}, ...fastListPriceSources.map(({ prices }) => prices))

export const listPrices: PriceTable = Object.assign({}, ...listPriceSources.map(({ prices }) => prices))
