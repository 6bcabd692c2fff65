import { Effect, Schema } from "effect"

/** What sandboxes go without, whatever their environment says. */
export const Confinement = Schema.Struct({
  /** The most that is left of the network; null: what the environment says. */
  network: Schema.NullOr(Schema.Literals(["none", "limited"])),
  /** Nothing of the session's directories can be written. */
  readOnly: Schema.Boolean,
  /** No variable of the runner's host comes in. */
  noHostVariables: Schema.Boolean,
  /** The repository of the working copy can be read, and not written. Absent in what older releases wrote. */
  noGitWrites: Schema.Boolean.pipe(Schema.withDecodingDefaultKey(Effect.succeed(false)))
})
export type Confinement = typeof Confinement.Type

export const unconfined: Confinement = { network: null, readOnly: false, noHostVariables: false, noGitWrites: false }

const strictest = (a: Confinement["network"], b: Confinement["network"]): Confinement["network"] =>
  [a, b].includes("none") ? "none" : (a ?? b)

export const both = (a: Confinement, b: Confinement): Confinement => ({
  network: strictest(a.network, b.network),
  readOnly: a.readOnly || b.readOnly,
  noHostVariables: a.noHostVariables || b.noHostVariables,
  noGitWrites: a.noGitWrites || b.noGitWrites
})

/** Whether what is confined so lacks everything that `wanted` takes away. */
export const covers = (actual: Confinement, wanted: Confinement): boolean => {
  const together = both(actual, wanted)
  return (
    together.network === actual.network &&
    together.readOnly === actual.readOnly &&
    together.noHostVariables === actual.noHostVariables &&
    together.noGitWrites === actual.noGitWrites
  )
}
