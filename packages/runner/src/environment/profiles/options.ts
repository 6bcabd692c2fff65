import { Effect } from "effect"
import { ProfileRefused } from "./Profile.ts"

type Options = Readonly<Record<string, string>>

/** An option that has to be there, on one line. */
export const required = (profile: string, options: Options, name: string): Effect.Effect<string, ProfileRefused> => {
  const value = options[name]?.trim() ?? ""
  if (value === "") return Effect.fail(new ProfileRefused({ profile, detail: `it needs the option ${name}` }))
  // eslint-disable-next-line no-control-regex
  return /[\0-\u001f\u007f]/.test(value)
    ? Effect.fail(new ProfileRefused({ profile, detail: `the option ${name} has to be one line of text` }))
    : Effect.succeed(value)
}
