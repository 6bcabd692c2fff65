import type * as SqlClient from "effect/sql/SqlClient"

/** The last word may be only begun. What are no words to the index is looked for as it is. */
const begun = (words: string): string => {
  const found = words.match(/[\p{L}\p{N}]+/gu) ?? []
  return found.map((word, at) => (at === found.length - 1 ? `'${word}':*` : `'${word}'`)).join(" & ")
}

const isPlain = (words: string): boolean => !/["-]|(^|\s)or(\s|$)/i.test(words)

/** What is looked for, as the index takes it. */
export const wantedIn = (sql: SqlClient.SqlClient) => (words: string) => {
  const whole = sql`websearch_to_tsquery('simple', ${words})`
  const started = begun(words)
  return isPlain(words) && started !== "" ? sql`(${whole} || to_tsquery('simple', ${started}))` : whole
}
