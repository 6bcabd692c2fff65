import { afterAll, assert, beforeAll, it } from "@effect/vitest"
import type { SessionEvent } from "@troupe/domain/session/SessionEvent"
import { Effect, Exit, Scope } from "effect"
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { requires } from "../../test/requires.ts"
import { npmRegistry, type Served } from "../../packages/runner/test/support/registries.ts"
import { temporaryState } from "../../packages/runner/src/sandbox/trial.ts"
import { System, wordsOf } from "../support/System.ts"

const lefty = {
  name: "troupe-lefty",
  manifest: { bin: { lefty: "cli.js" } },
  files: { "cli.js": '#!/usr/bin/env node\nconsole.log("lefty 42")\n' }
}

const ownClient = join(import.meta.dirname, "../../packages/runner/test/sandbox/fixtures/unix-local.ts")
const host = "registry.localhost"
const look = "run: lefty; word; cat greeting; ls /opt"

const environment = {
  backend: "bubblewrap",
  packages: { apt: [], cargo: [], gem: [], go: [], npm: ["troupe-lefty@1.0.0"], pip: [] },
  setup: `mkdir -p /opt/environment/bin
printf '#!/bin/sh\\necho "$WORD"\\n' > /opt/environment/bin/word
chmod 755 /opt/environment/bin/word
echo setting up`,
  variables: { WORD: "moin" },
  preparation: { profile: "greeter", options: { name: "Ada" } },
  network: { type: "limited", allowedHosts: [], allowMcpServers: false, allowPackageManagers: true }
}

const notes = (events: ReadonlyArray<SessionEvent>) =>
  events.flatMap((event) =>
    event._tag === "PlatformNoted" && event.code === "environment_preparing" ? [event.message] : []
  )

requires(
  "postgres",
  "bubblewrap",
  "system-npm",
  "root"
)("sessions in prepared environments", () => {
  const scope = Scope.makeUnsafe()
  let system: System
  let registry: Served

  beforeAll(async () => {
    const directory = await Effect.runPromise(Scope.provide(temporaryState("troupe-e2e-registry-"), scope))
    registry = await Effect.runPromise(Scope.provide(npmRegistry(directory, [lefty], host), scope))
    const profiles = join(directory, "profiles")
    mkdirSync(profiles)
    writeFileSync(join(profiles, "greeter.sh"), 'echo "hello $OPTION_NAME" >> /workspace/greeting')
    const state = mkdtempSync(join(tmpdir(), "troupe-e2e-runner-"))
    const variables = {
      npm_config_registry: `http://${host}:${registry.port}/`,
      npm_config_fetch_retries: "0",
      // What ends in `localhost` is elsewhere, as the sandbox sees it.
      ...Object.fromEntries(["NO_PROXY", "no_proxy", "npm_config_noproxy"].map((name) => [name, "nothing.test"]))
    }
    writeFileSync(join(state, "packages.json"), JSON.stringify({ npm: { hosts: [host], variables } }), { mode: 0o600 })

    writeFileSync(join(state, "secrets.json"), JSON.stringify({ GITHUB_TOKEN: "token-of-the-host" }), { mode: 0o600 })

    system = await System.make()
    await system.node()
    system.runner({
      state,
      env: {
        TROUPE_EGRESS_ALLOW: `${host}:${registry.port}`,
        TROUPE_PROFILES: profiles,
        TROUPE_SANDBOX_MODULES: ownClient
      }
    })
  }, 180_000)
  afterAll(async () => {
    await system.end()
    await Effect.runPromise(Scope.close(scope, Exit.void))
  }, 60_000)

  const firstTurn = async (words: string, config: Readonly<Record<string, unknown>> = environment) => {
    const node = system.nodes[0]!
    const session = await system.open(node, { environment: config })
    await system.say(node, session, words)
    return { session, events: await system.turnsEnded(session, 1) }
  }

  it(
    "find packages, what a script left, variables and a profile; the next ones need not wait",
    { timeout: 240_000 },
    async () => {
      const { events, session } = await firstTurn(look)
      assert.include(wordsOf(events), "lefty 42\nmoin\nhello Ada\nenvironment")
      const [preparing] = notes(events)
      assert.include(preparing, "Installing with npm: troupe-lefty@1.0.0")
      assert.include(notes(events).join("\n"), "setting up")
      const asked = registry.asked.length
      assert.isAbove(asked, 0)

      await system.say(system.nodes[0]!, session, look)
      const again = (await system.turnsEnded(session, 2)).slice(events.length)
      assert.include(wordsOf(again), "lefty 42\nmoin\nhello Ada\nenvironment")

      const other = await firstTurn(look)
      assert.include(wordsOf(other.events), "lefty 42\nmoin\nhello Ada\nenvironment")
      assert.deepStrictEqual(notes(other.events), [])
      assert.lengthOf(registry.asked, asked)
    }
  )

  it(
    "fail before the model is asked, and say why, where the environment can't be had",
    { timeout: 240_000 },
    async () => {
      const packages = { ...environment.packages, npm: ["troupe-nowhere"] }
      const { events } = await firstTurn("say: hello", { ...environment, packages })
      const failed = events.find((event) => event._tag === "TurnFailed")
      assert.strictEqual(failed?.error.code, "environment_failed")
      assert.match(failed!.error.message, /Preparing the environment failed \(npm, exit code 1\)[^]*troupe-nowhere/)
      assert.lengthOf(
        events.filter(({ _tag }) => _tag === "ModelRequestStarted"),
        0
      )
      assert.lengthOf(
        events.filter(({ _tag }) => _tag === "AttemptStarted"),
        1
      )
    }
  )

  it("have the profiles' secrets from who owns the host, and never see them", { timeout: 240_000 }, async () => {
    const having = (tokenSecret: string) => {
      const options = { name: "Ada", email: "ada@example.com", tokenSecret }
      return {
        ...environment,
        packages: { ...environment.packages, npm: [] },
        setup: null,
        preparation: { profile: "github", options }
      }
    }
    const { events } = await firstTurn("run: cat $GIT_CONFIG_SYSTEM; env; cat /proc/*/environ", having("GITHUB_TOKEN"))
    assert.include(wordsOf(events), 'name = "Ada"')
    assert.notInclude(JSON.stringify(events), "token-of-the-host")
    const without = await firstTurn("say: hello", having("NOBODYS_TOKEN"))
    const failed = without.events.find((event) => event._tag === "TurnFailed")
    assert.include(failed?.error.message, "The session has no secret NOBODYS_TOKEN")
  })

  it(
    "run in what a client of the OpenAI Agents SDK makes, where the runner's owner names one",
    { timeout: 240_000 },
    async () => {
      const client = { backend: "unix-local", network: { type: "none" }, variables: { WORD: "moin" } }
      const node = system.nodes[0]!
      const session = await system.open(node, { environment: client })
      await system.say(node, session, "run: echo $WORD > said; cat said")
      // Nothing isolates there, so a person is asked first.
      const asked = (events: ReadonlyArray<SessionEvent>) => events.find((event) => event._tag === "TurnSuspended")
      const waiting = await system.until(session, "somebody is asked", (events) => asked(events) !== undefined)
      const { callId } = waiting.find((event) => event._tag === "ToolRequested")!
      const answer = {
        _tag: "Confirmation",
        inputId: system.mint("Event") as never,
        callId,
        decision: { type: "allow_once" }
      } as const
      await system.send(node, session, { _tag: "Send", inputs: [answer] })
      const events = await system.turnsEnded(session, 1)
      const created = events.find((event) => event._tag === "SandboxCreated")
      assert.deepInclude(created, { backend: "unix-local", isolation: "none" })
      assert.include(wordsOf(events.filter(({ _tag }) => _tag === "ToolFinished")), "moin")
    }
  )
})
