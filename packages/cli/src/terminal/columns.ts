/** As wide as the terminal; undefined where there is none, or one that does not say how wide it is. */
export const columns = (): number | undefined => process.stdout.columns || undefined
