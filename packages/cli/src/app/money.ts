interface Money {
  readonly amount: string
  readonly currency: string
}

/** What the API counts in cents, as people write it; null where a price is not known. */
export const dollars = (cost: Money | null): string | null =>
  cost === null ? null : `$${(Number(cost.amount) / 100).toFixed(2)}`
