import { Abilities, type Capability } from "@troupe/domain/runner/Hello"
import { Option, Schema } from "effect"
import { readFileSync } from "node:fs"
import { join } from "node:path"

const decode = Schema.decodeUnknownOption(Schema.fromJsonString(Abilities))

/** What the runner of this state directory last said it can do. */
export const abilitiesOf = (runnerState: string): Abilities | null => {
  try {
    return Option.getOrNull(decode(readFileSync(join(runnerState, "abilities.json"), "utf8")))
  } catch {
    return null
  }
}

/** What can be used, and of what can't, why. */
export const usable = (all: ReadonlyArray<Capability>): ReadonlyArray<string> =>
  all.flatMap(({ name, usable }) => (usable ? [name] : []))

export const unusable = (all: ReadonlyArray<Capability>): ReadonlyArray<string> =>
  all.flatMap(({ name, notes, usable }) => (usable ? [] : [`${name}: ${notes.join("; ") || "it does not say why"}`]))
