/** What a model of this maker takes beside the conversation. It refuses a request for what it does not take. */
export interface Abilities {
  /** How it is asked to think: as much as its effort says, within a number of tokens, or not at all. */
  readonly thinking: "adaptive" | "budget" | "none"
  readonly effort: boolean
  readonly temperature: boolean
  readonly fast: boolean
  /** The longest answer that may be asked for. */
  readonly outputTokens: number
}

/** Thousands and the rest are dates; a name without a number is newer than all that have one. */
const versionOf = (model: string): number => {
  const [, major, minor = "0"] = /claude-(?:[a-z]+-)?(\d{1,2})(?:[-.](\d{1,2})(?!\d))?(?!\d)/.exec(model) ?? []
  return major === undefined ? Infinity : Number(major) + Number(minor) / 100
}

/** By the generation in its name: https://platform.claude.com/docs/en/build-with-claude/effort, and its pages on thinking. */
export const abilitiesOf = (model: string): Abilities => {
  const version = versionOf(model)
  const isOpus = model.includes("opus")
  return {
    thinking: version >= 4.06 ? "adaptive" : version >= 3.07 ? "budget" : "none",
    effort: version >= 4.06 || (isOpus && version >= 4.05),
    temperature: version < 4.07 || version === Infinity,
    fast: version >= 4.06,
    outputTokens: version >= 3.07 ? 32_000 : version >= 3.05 ? 8_192 : 4_096
  }
}
