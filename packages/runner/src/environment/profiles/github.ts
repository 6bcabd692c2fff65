import { Effect, Redacted } from "effect"
import type { Endpoint } from "@troupe/domain/network/AddressRules"
import type { CredentialInjector } from "../../egress/CredentialInjector.ts"
import type { Rewrite } from "../../egress/Interception.ts"
import { EgressRefused } from "@troupe/domain/network/Refusal"
import { type Hook, type HookContext, HookFailed, type Profile } from "./Profile.ts"
import { required } from "./options.ts"

/** How each of GitHub's hosts takes a token. */
export interface GithubHost extends Endpoint {
  readonly scheme: "basic" | "bearer"
}

const githubHosts: ReadonlyArray<GithubHost> = [
  { host: "github.com", port: 443, scheme: "basic" },
  { host: "api.github.com", port: 443, scheme: "bearer" },
  { host: "uploads.github.com", port: 443, scheme: "bearer" }
]

const authorization = (scheme: GithubHost["scheme"], token: string) =>
  scheme === "bearer" ? `Bearer ${token}` : `Basic ${Buffer.from(`x-access-token:${token}`).toString("base64")}`

/** Quoted, so that no name is read as anything but a name. */
const quoted = (value: string) => `"${value.replace(/["\\]/g, "\\$&")}"`

const gitconfig = (name: string, email: string) => `[user]
	name = ${quoted(name)}
	email = ${quoted(email)}
[url "https://github.com/"]
	insteadOf = git@github.com:
	insteadOf = ssh://git@github.com/
[safe]
	directory = *
`

/** `gh` asks for a token before it tries anything; the real one takes its place on the way out. */
const placeholder = "added-on-the-way-out"

/** Who commits, and a token that the egress proxy adds to what is asked of GitHub: it is never in the sandbox. */
export const github = (
  injector: CredentialInjector["Service"],
  hosts: ReadonlyArray<GithubHost> = githubHosts
): Profile => ({
  name: "github",
  prepare: Effect.fnUntraced(function* (options, directory) {
    const [name, email] = [yield* required("github", options, "name"), yield* required("github", options, "email")]
    const secret = options.tokenSecret ?? ""
    return {
      files: { gitconfig: gitconfig(name, email) },
      variables: {
        // The system's own place, so that what an agent configures for itself goes before it.
        GIT_CONFIG_SYSTEM: `${directory}/gitconfig`,
        ...(secret === "" ? {} : { GH_TOKEN: placeholder })
      },
      hooks: secret === "" ? [] : [tokenHook(injector, hosts, secret)]
    }
  })
})

const tokenHook = (injector: CredentialInjector["Service"], hosts: ReadonlyArray<GithubHost>, name: string): Hook => ({
  name: "github",
  when: "opened",
  run: Effect.fnUntraced(function* ({ sandbox, secret }: HookContext) {
    yield* secret(name).pipe(Effect.mapError(({ message }) => new HookFailed({ hook: "github", detail: message })))
    for (const { scheme, ...endpoint } of hosts) {
      // Asked for each time: a token of an installation is good for an hour.
      const rewrite: Rewrite = () =>
        secret(name).pipe(
          Effect.map((token) => ({ authorization: authorization(scheme, Redacted.value(token)) })),
          Effect.mapError(({ message }) => new EgressRefused({ code: "request_invalid", ...endpoint, detail: message }))
        )
      yield* injector.give(sandbox.spec.sessionId, endpoint, rewrite)
    }
  })
})
