import { Context, Effect, Layer } from "effect"
import { CredentialInjector } from "../../egress/CredentialInjector.ts"
import { azure } from "./azure.ts"
import { github, type GithubHost } from "./github.ts"
import { none } from "./none.ts"
import { loadProfiles, ProfilesError } from "./ownProfiles.ts"
import { type Profile, ProfileRefused } from "./Profile.ts"

/** The preparation profiles of this runner, by name. */
export class Profiles extends Context.Service<
  Profiles,
  {
    readonly names: ReadonlyArray<string>
    readonly get: (name: string) => Effect.Effect<Profile, ProfileRefused>
  }
>()("runner/environment/Profiles") {
  /** Those that come with the runner, and what its owner has in a directory. */
  static readonly layer = (
    options: { readonly directory?: string; readonly githubHosts?: ReadonlyArray<GithubHost> } = {}
  ): Layer.Layer<Profiles, ProfilesError, CredentialInjector> =>
    Layer.effect(
      Profiles,
      Effect.gen(function* () {
        const injector = yield* CredentialInjector
        const own = options.directory === undefined ? [] : yield* loadProfiles(options.directory)
        const byName = new Map<string, Profile>()
        for (const profile of [none, github(injector, options.githubHosts), azure, ...own]) {
          if (byName.has(profile.name)) {
            return yield* new ProfilesError({ path: profile.name, detail: "there are two of that name" })
          }
          byName.set(profile.name, profile)
        }
        const names = [...byName.keys()]
        const get = (name: string) => {
          const found = byName.get(name)
          const detail = `this runner has ${names.join(", ")}`
          return found === undefined
            ? Effect.fail(new ProfileRefused({ profile: name, detail }))
            : Effect.succeed(found)
        }
        return Profiles.of({ names, get })
      })
    )
}
