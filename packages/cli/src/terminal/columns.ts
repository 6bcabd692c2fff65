/** As wide as the terminal; undefined where there is none, or one that does not say, as some of machines do. */
export const columns = (): number | undefined => process.stdout.columns || undefined
