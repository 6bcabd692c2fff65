const usd = new Intl.NumberFormat("en-US", { style: "currency", currency: "USD" })
const fine = new Intl.NumberFormat("en-US", { style: "currency", currency: "USD", maximumFractionDigits: 4 })
const whole = new Intl.NumberFormat("en-US")

/** A price as one reads it in a column; unknown is unknown and never zero. */
export const cost = (microUsd: number | null | undefined): string => {
  if (microUsd === null || microUsd === undefined) return "–"
  if (microUsd === 0) return "$0.00"
  const dollars = microUsd / 1_000_000
  if (dollars < 0.0001) return "<$0.0001"
  return dollars < 0.1 ? fine.format(dollars) : usd.format(dollars)
}

export const count = (value: number): string => whole.format(value)

/** 1234 as 1.2k, so that columns stay narrow. */
export const short = (value: number): string => {
  if (value < 1_000) return String(value)
  if (value < 1_000_000) return `${(value / 1_000).toFixed(value < 10_000 ? 1 : 0)}k`
  return `${(value / 1_000_000).toFixed(value < 10_000_000 ? 1 : 0)}M`
}

export const duration = (ms: number): string => {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))} ms`
  if (ms < 60_000) return `${(ms / 1_000).toFixed(ms < 10_000 ? 1 : 0)} s`
  const minutes = Math.floor(ms / 60_000)
  if (minutes < 60) return `${minutes} min ${Math.floor((ms % 60_000) / 1_000)} s`
  const hours = Math.floor(minutes / 60)
  return `${hours} h ${minutes % 60} min`
}

/** How long ago something was, short enough for a column. */
export const ago = (at: number, now: number): string => {
  const seconds = Math.max(0, Math.floor((now - at) / 1_000))
  if (seconds < 5) return "now"
  if (seconds < 60) return `${seconds}s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes}m`
  const hours = Math.floor(minutes / 60)
  if (hours < 24) return `${hours}h`
  const days = Math.floor(hours / 24)
  if (days < 30) return `${days}d`
  return days < 365 ? `${Math.floor(days / 30)}mo` : `${Math.floor(days / 365)}y`
}

/** The end of an id: enough to tell two apart. */
export const tail = (id: string): string => id.slice(-6)

export const plural = (value: number, one: string, many = `${one}s`): string =>
  `${whole.format(value)} ${value === 1 ? one : many}`

/** Money of the API is an amount of cents in text. */
export const microUsdOf = (money: { readonly amount: string } | null): number | null =>
  money === null ? null : Math.round(Number(money.amount) * 10_000)

export const size = (bytes: number): string => {
  if (bytes < 1_000) return `${bytes} B`
  if (bytes < 1_000_000) return `${(bytes / 1_000).toFixed(bytes < 10_000 ? 1 : 0)} kB`
  return `${(bytes / 1_000_000).toFixed(bytes < 10_000_000 ? 1 : 0)} MB`
}
