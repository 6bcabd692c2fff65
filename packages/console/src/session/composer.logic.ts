/** What pressing Enter would do, as the button says it. */
export const intent = ({ hasTurn }: { readonly hasTurn: boolean }): "Send" | "Queue" => (hasTurn ? "Queue" : "Send")

export const escapeWithinMs = 1_500

/** Escape asks twice, so that nobody stops an hour of work by closing a menu. */
export const escape = (
  before: number | null,
  at: number
): { readonly isSure: boolean; readonly asked: number | null } =>
  before !== null && at - before < escapeWithinMs ? { isSure: true, asked: null } : { isSure: false, asked: at }
