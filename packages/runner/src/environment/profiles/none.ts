import { Effect } from "effect"
import type { Profile } from "./Profile.ts"

export const none: Profile = {
  name: "none",
  prepare: () => Effect.succeed({ variables: {}, files: {}, hooks: [] })
}
