import { assert, it } from "@effect/vitest"
import { sizes } from "@troupe/domain/environment/EnvironmentConfig"
import { Effect, Stream } from "effect"
import { chmodSync } from "node:fs"
import { join } from "node:path"
import { requires } from "../../../../test/requires.ts"
import { bundleTarget, sandboxVariables } from "../../src/egress/sandboxVariables.ts"
import { bubblewrap } from "../../src/sandbox/Bubblewrap.ts"
import { SandboxHome } from "../../src/sandbox/SandboxHome.ts"
import { ids, openProxy } from "../support/proxyWorld.ts"
import { testSite } from "../support/TestSite.ts"

requires("bubblewrap", "root")("A sandbox of bubblewrap behind the egress proxy", () => {
  it.live(
    "is given credentials it never has, and a 403 elsewhere",
    () =>
      Effect.gen(function* () {
        const site = yield* testSite("site.test", (request, response) =>
          response.end(`seen: ${request.headers.authorization}`)
        )
        const proxy = yield* openProxy({
          alsoAllowed: [site.authority],
          names: { "site.test": ["127.0.0.1"], "inner.test": ["10.0.0.1"] },
          certificates: [site.ca],
          rewrites: { "site.test": () => Effect.succeed({ authorization: "Bearer real" }) }
        })
        chmodSync(proxy.directory, 0o755)
        const home = yield* Effect.flatMap(SandboxHome, ({ open }) => open(ids.sandboxId)).pipe(
          Effect.provide(SandboxHome.layer(join(proxy.directory, "homes")))
        )
        const sandbox = yield* Effect.acquireRelease(
          bubblewrap().create({
            ...ids,
            home: home.home,
            mounts: [...home.mounts, { source: proxy.bundlePath, target: bundleTarget, readOnly: true }],
            size: sizes.small,
            network: { _tag: "Proxied", socket: proxy.socketPath },
            variables: { ...sandboxVariables(), PATH: "/usr/bin:/bin" },
            image: null
          }),
          ({ destroy }) => destroy
        )
        const command = `curl -sS https://${site.authority}/; echo; curl -sS http://inner.test/; env`
        const { ending, output } = yield* sandbox.exec({ command: ["sh", "-c", command], cwd: "/tmp" })
        const out = yield* Stream.runFold(
          output,
          () => "",
          (text, { bytes }) => text + new TextDecoder().decode(bytes)
        )
        assert.deepStrictEqual(yield* ending, { _tag: "Exited", code: 0 })
        assert.match(out, /^seen: Bearer real\n.*is refused \(address_not_public\)/)
        assert.strictEqual(out.split("Bearer real").length, 2)
      }),
    120_000
  )
})
