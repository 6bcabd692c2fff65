import { both, type Confinement, unconfined } from "./Confinement.ts"
import { restrictionOf, type RestrictionName } from "./Restrictions.ts"

export interface Preset {
  /** For whoever chooses one. */
  readonly description: string
  readonly restrictions: ReadonlyArray<RestrictionName>
  /** What is asked for although the other policies allow it: nothing, all that changes something, or all they don't speak of. */
  readonly asks: "nothing" | "changes" | "unspoken"
}

/** What sessions and turns may be held to. A preset never allows anything: it only takes away. */
export const presets = {
  read_only: {
    description: "Looks, and changes nothing.",
    restrictions: ["no_writes", "no_git_writes"],
    asks: "nothing"
  },
  safe: {
    description: "Works in its directory: no network, no commits, no secrets, no dangerous commands.",
    restrictions: ["no_network", "no_git_writes", "no_secrets", "no_dangerous_commands"],
    asks: "nothing"
  },
  review: {
    description: "Asks before each call that changes something.",
    restrictions: ["no_secrets", "no_dangerous_commands"],
    asks: "changes"
  },
  full: { description: "Whatever the other policies allow.", restrictions: [], asks: "nothing" },
  custom: {
    description: "What the workspace's and the agent's own policies allow by name; anything else is asked for.",
    restrictions: [],
    asks: "unspoken"
  }
} as const satisfies Record<string, Preset>
export type PresetName = keyof typeof presets

export const presetNames = Object.keys(presets) as unknown as readonly [PresetName, ...ReadonlyArray<PresetName>]

export const presetOf = (name: string): Preset | undefined =>
  Object.hasOwn(presets, name) ? presets[name as PresetName] : undefined

/** What sandboxes go without under these restrictions. */
export const confinedBy = (names: ReadonlyArray<RestrictionName>): Confinement =>
  names.reduce((sum, name) => both(sum, { ...unconfined, ...restrictionOf(name).confinement }), unconfined)
