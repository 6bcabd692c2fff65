import type { Outcome } from "./Transcript.ts"

/** What came of what was said, for programs. */
export const outcomeJson = ({
  outcome,
  ...said
}: {
  readonly session: string
  readonly outcome: Outcome["_tag"] | "Interrupted"
  readonly text: string
  readonly error: string | null
}): string =>
  JSON.stringify({ session: said.session, outcome: outcome.toLowerCase(), text: said.text, error: said.error })
