import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Layer, Scope } from "effect"
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { requires } from "../../../../test/requires.ts"
import { CredentialInjector } from "../../src/egress/CredentialInjector.ts"
import { EgressProxy } from "../../src/egress/EgressProxy.ts"
import { bundleTarget, sandboxVariables } from "../../src/egress/sandboxVariables.ts"
import { TrustStore } from "../../src/egress/TrustStore.ts"
import { azure } from "../../src/environment/profiles/azure.ts"
import { Profiles } from "../../src/environment/profiles/Profiles.ts"
import { bubblewrap } from "../../src/sandbox/Bubblewrap.ts"
import { temporaryState } from "../../src/sandbox/trial.ts"
import { outbound } from "../support/outbound.ts"
import { preparationWorld, say, secretsOf } from "../support/preparationWorld.ts"
import { testSite } from "../support/TestSite.ts"

const timeout = 120_000
const backend = bubblewrap()
const identity = { name: 'Ada "the first" \\ Lovelace', email: "ada@example.com" }

const profiles = (options: Parameters<typeof Profiles.layer>[0] = {}) =>
  Effect.provide(Effect.service(Profiles), Profiles.layer(options).pipe(Layer.provide(CredentialInjector.layer)))

requires("bubblewrap", "root")("the profile github", () => {
  it.live(
    "adds the token on the way out, to its hosts and to this session alone, and it is nowhere inside",
    () =>
      Effect.gen(function* () {
        const asked: Array<string | undefined> = []
        const site = yield* testSite("github.test", (request, response) => {
          asked.push(request.headers.authorization)
          response.end("hello")
        })
        const directory = yield* temporaryState("troupe-github-")
        const interception = CredentialInjector.layer
        const layer = Layer.mergeAll(
          EgressProxy.layer().pipe(
            Layer.provide([
              outbound([site.authority], { "github.test": ["127.0.0.1"] }),
              Layer.orDie(TrustStore.layer([site.ca]))
            ])
          ),
          Profiles.layer({ githubHosts: [{ host: "github.test", port: site.port, scheme: "basic" }] })
        ).pipe(Layer.provide(interception))
        const services = yield* Layer.build(layer)
        const egress = yield* Effect.provide(Effect.service(EgressProxy), services)
        const github = yield* Effect.flatMap(Effect.provide(Effect.service(Profiles), services), ({ get }) =>
          get("github")
        )
        const parts = yield* github.prepare({ ...identity, tokenSecret: "TOKEN" }, "/opt/profile")
        const files = join(directory, "profile")
        mkdirSync(files)
        for (const [name, content] of Object.entries(parts.files)) writeFileSync(join(files, name), content)

        const { session } = yield* preparationWorld()
        const behindProxy = Effect.fnUntraced(function* (name: string) {
          const socket = join(directory, `${name}.sock`)
          const bundle = join(directory, `${name}.pem`)
          const sandbox = yield* session(
            backend,
            {
              mounts: [
                { source: files, target: "/opt/profile", readOnly: true },
                { source: bundle, target: bundleTarget, readOnly: true }
              ],
              variables: { ...sandboxVariables(), ...parts.variables },
              image: null,
              hooks: []
            },
            { network: { _tag: "Proxied", socket } }
          )
          const { sandboxId, sessionId } = sandbox.spec
          yield* egress.open({
            sessionId,
            sandboxId,
            socketPath: socket,
            bundlePath: bundle,
            policy: { type: "unrestricted" },
            mcpHosts: [],
            log: () => Effect.void
          })
          return sandbox
        })
        const [mine, other] = [yield* behindProxy("a"), yield* behindProxy("b")]
        const held = yield* Scope.make()
        const [hook] = parts.hooks
        assert.strictEqual(hook?.when, "opened")
        const context = { sandbox: mine, secret: secretsOf({ TOKEN: "ghs_very_secret" }) }
        yield* Scope.provide(hook!.run(context), held)

        const curl = `curl -sS https://${site.authority}/`
        assert.strictEqual(yield* say(mine, `${curl}; env | grep -c very_secret`), "hello0")
        assert.strictEqual(yield* say(other, curl), "hello")
        yield* Scope.close(held, Exit.void)
        assert.strictEqual(yield* say(mine, curl), "hello")
        const basic = `Basic ${Buffer.from("x-access-token:ghs_very_secret").toString("base64")}`
        assert.deepStrictEqual(asked, [basic, undefined, undefined])

        assert.strictEqual(
          yield* say(
            mine,
            "git config user.name; git config user.email; git config --list --system | grep -c insteadof"
          ),
          'Ada "the first" \\ Lovelace\nada@example.com\n2'
        )
      }),
    timeout
  )

  it.effect("refuses an identity that is none, and a token that the session has not", () =>
    Effect.gen(function* () {
      const github = yield* Effect.flatMap(profiles(), ({ get }) => get("github"))
      for (const options of [{}, { name: "Ada" }, { name: "Ada\n[core]", email: "a@b" }]) {
        assert.strictEqual((yield* Effect.flip(github.prepare(options, "/opt/profile"))).profile, "github")
      }
      assert.deepStrictEqual((yield* github.prepare(identity, "/opt/profile")).hooks, [])
    })
  )
})

const fakeAz = `#!/bin/sh
# Keeps what it was given, and says it too loudly.
case "$1" in
  login) password=$(cat); echo "$* / $password" > /tmp/login; env > /tmp/env
    [ "$password" = right-password ] || { echo "AADSTS7000215: $password is wrong" >&2; exit 1; } ;;
  account) echo "$*" >> /tmp/login ;;
esac
`

requires("bubblewrap", "root")("the profile azure", () => {
  const login = Effect.fnUntraced(function* (password: string) {
    const tools = yield* temporaryState("troupe-azure-")
    writeFileSync(join(tools, "az"), fakeAz, { mode: 0o755 })
    const options = { tenant: "tenant-1", client: "client-1", passwordSecret: "PASSWORD", subscription: "sub-1" }
    const { hooks, variables } = yield* azure.prepare(options, "/opt/profile")
    const { session } = yield* preparationWorld()
    const sandbox = yield* session(backend, {
      mounts: [{ source: tools, target: "/opt/tools", readOnly: true }],
      variables: { PATH: "/opt/tools:/usr/bin:/bin", ...variables },
      image: null,
      hooks: []
    })
    const context = { sandbox, secret: secretsOf({ PASSWORD: password }) }
    return { sandbox, outcome: yield* Effect.result(hooks[0]!.run(context)), context, hook: hooks[0]! }
  })

  it.live(
    "logs in with a password that only this one process is given, not in its arguments nor az's environment",
    () =>
      Effect.gen(function* () {
        const { outcome, sandbox } = yield* login("right-password")
        assert.strictEqual(outcome._tag, "Success")
        assert.strictEqual(
          yield* say(sandbox, "cat /tmp/login; grep -c right-password /tmp/env; env | grep -c right"),
          "login --service-principal --username client-1 --tenant tenant-1 --password @- --output none / right-password\n" +
            "account set --subscription sub-1\n0\n0"
        )
      }),
    timeout
  )

  it.live(
    "says why it failed, other the password",
    () =>
      Effect.gen(function* () {
        const { context, hook, outcome } = yield* login("wrong-password")
        assert(outcome._tag === "Failure")
        assert.include(outcome.failure.message, "AADSTS7000215: [secret] is wrong")
        assert.notInclude(outcome.failure.message, "wrong-password")
        const missing = yield* Effect.flip(hook.run({ ...context, secret: secretsOf({}) }))
        assert.include(missing.message, "The session has no secret PASSWORD")
      }),
    timeout
  )
})

describe("Profiles", () => {
  const directory = Effect.fnUntraced(function* (files: Readonly<Record<string, string>>) {
    const path = yield* temporaryState("troupe-profiles-")
    for (const [name, content] of Object.entries(files)) writeFileSync(join(path, name), content)
    return path
  })
  const refused = (files: Readonly<Record<string, string>>) =>
    Effect.flatMap(directory(files), (path) => Effect.flip(profiles({ directory: path })))

  it.live("takes own ones from a directory: modules, and scripts", () =>
    Effect.gen(function* () {
      const path = yield* directory({
        "README.md": "no profile",
        "gitlab.sh": "true",
        "moon.mjs": 'export const profile = { name: "moon", prepare: () => undefined }'
      })
      const { get, names } = yield* profiles({ directory: path })
      assert.deepStrictEqual(names, ["none", "github", "azure", "gitlab", "moon"])
      assert.strictEqual((yield* get("moon")).name, "moon")
      assert.match((yield* Effect.flip(get("mars"))).message, /this runner has none, github, azure, gitlab, moon/)
    })
  )

  it.live("refuses what is no profile, and a name that is taken", () =>
    Effect.gen(function* () {
      assert.match((yield* refused({ "a.mjs": "export default 7" })).message, /name has to begin/)
      assert.match((yield* refused({ "a.mjs": 'export default { name: "a" }' })).message, /prepare/)
      assert.match((yield* refused({ "a.mjs": "throw new Error('broken')" })).message, /broken/)
      assert.match((yield* refused({ "Big Name.sh": "true" })).message, /name has to begin/)
      assert.match((yield* refused({ "azure.sh": "true" })).message, /two of that name/)
    })
  )
})

requires("bubblewrap", "root")("an own script", () => {
  it.live(
    "runs in the sandbox with its options, and its failure is told",
    () =>
      Effect.gen(function* () {
        const path = yield* temporaryState("troupe-profiles-")
        writeFileSync(
          join(path, "gitlab.sh"),
          'echo "$OPTION_REGION_1" > /tmp/region; [ "$OPTION_REGION_1" = eu ] || exit 9'
        )
        const gitlab = yield* Effect.flatMap(profiles({ directory: path }), ({ get }) => get("gitlab"))
        const { session } = yield* preparationWorld()
        const sandbox = yield* session(backend, { mounts: [], variables: {}, image: null, hooks: [] })
        const run = Effect.fnUntraced(function* (region: string) {
          const { hooks } = yield* gitlab.prepare({ "region-1": region }, "/opt/profile")
          return yield* hooks[0]!.run({ sandbox, secret: secretsOf({}) })
        })
        yield* run("eu")
        assert.strictEqual(yield* say(sandbox, "cat /tmp/region"), "eu")
        assert.match((yield* Effect.flip(run("us"))).message, /exit code 9/)
      }),
    timeout
  )
})
