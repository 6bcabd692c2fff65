import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Scope } from "effect"
import { existsSync, readdirSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { requires } from "../../../../test/requires.ts"
import type { PreparationFailed } from "../../src/environment/PreparationFailed.ts"
import { bubblewrap } from "../../src/sandbox/Bubblewrap.ts"
import { local } from "../../src/sandbox/Local.ts"
import { none } from "../../src/sandbox/None.ts"
import { environmentOf, preparationWorld, say } from "../support/preparationWorld.ts"
import {
  crateRegistry,
  debianRepository,
  fakeManager,
  gemIndex,
  goProxy,
  npmRegistry,
  pythonIndex
} from "../support/registries.ts"
import { temporaryState } from "../../src/sandbox/trial.ts"

const timeout = 240_000
/** Where sandboxes can look, too. */
const shared = temporaryState("troupe-registry-")
const backend = bubblewrap()
const setup = (script: string, other: Parameters<typeof environmentOf>[0] = {}) =>
  environmentOf({ setup: script, network: { type: "none" }, ...other })

const collecting = () => {
  const lines: Array<string> = []
  return { lines, onLine: (line: string) => Effect.sync(() => void lines.push(line)) }
}

const failureOf = <A, R>(effect: Effect.Effect<A, PreparationFailed, R>) => Effect.flip(effect)

requires("bubblewrap", "root")("Preparations", () => {
  it.live(
    "run a setup script once, and show sessions what it left, to be read only",
    () =>
      Effect.gen(function* () {
        const { preparations, session } = yield* preparationWorld()
        const config = setup(
          'mkdir -p /opt/environment/bin; printf "#!/bin/sh\\necho $WORD\\n" > /opt/environment/bin/hello; chmod 700 /opt/environment/bin/hello; echo made; echo once >> /opt/environment/runs',
          { variables: { WORD: "moin" } }
        )
        const heard = collecting()
        const prepared = yield* preparations.prepare(config, backend, heard.onLine)
        assert.include(heard.lines, "made")
        const again = collecting()
        yield* preparations.prepare(config, backend, again.onLine)
        assert.deepStrictEqual(again.lines, [])

        const sandbox = yield* session(backend, prepared)
        assert.strictEqual(yield* say(sandbox, "hello; cat /opt/environment/runs"), "moin\nonce")
        assert.match(yield* say(sandbox, "echo more >> /opt/environment/runs"), /Read-only|Permission denied/)
      }),
    timeout
  )

  it.live(
    "are one for the same content, however it is written down, and another for another",
    () =>
      Effect.gen(function* () {
        const { directory, preparations } = yield* preparationWorld()
        const keys = () => readdirSync(join(directory, "environments")).filter((name) => name.length === 64)
        yield* preparations.prepare(setup("true"), backend)
        yield* preparations.prepare(setup("true", { runnerLabels: ["gpu"], size: "medium" }), backend)
        assert.strictEqual(keys().length, 1)
        yield* preparations.prepare(setup("true", { variables: { A: "1" } }), backend)
        assert.strictEqual(keys().length, 2)
      }),
    timeout
  )

  it.live(
    "happen once when several sessions begin together, and all of them hear how it goes",
    () =>
      Effect.gen(function* () {
        const { directory, open, preparations } = yield* preparationWorld()
        // Another runner's process would take the same locks.
        const other = yield* open()
        const config = setup("echo working; sleep 2; echo ready >> /opt/environment/runs")
        const [first, second, third] = [collecting(), collecting(), collecting()]
        yield* Effect.all(
          [
            preparations.prepare(config, backend, first.onLine),
            preparations.prepare(config, backend, second.onLine),
            other.prepare(config, backend, third.onLine)
          ],
          { concurrency: "unbounded" }
        )
        const key = readdirSync(join(directory, "environments")).find((name) => name.length === 64)!
        assert.strictEqual(statSync(join(directory, "environments", key, "root", "runs")).size, "ready\n".length)
        const working = [first, second, third].filter(({ lines }) => lines.includes("working"))
        assert.isTrue(working.length === 2 || (working.length === 1 && working[0] === third))
      }),
    timeout
  )

  it.live(
    "fail with the last lines, and are not tried again for a while",
    () =>
      Effect.gen(function* () {
        const { directory, open, preparations } = yield* preparationWorld()
        const config = setup(
          "exec 2>&1; for i in $(seq 100); do echo line $i; done; echo https://me:secret@host/ >&2; exit 3"
        )
        const failure = yield* failureOf(preparations.prepare(config, backend))
        assert.strictEqual(failure.step, "setup")
        assert(failure.reason._tag === "Failed")
        assert.strictEqual(failure.reason.ending, "exit code 3")
        assert.strictEqual(failure.reason.said.length, 30)
        assert.include(failure.reason.said, "line 100")
        assert.include(failure.reason.said, "https://host/")
        assert.notInclude(failure.message, "secret")

        const heard = collecting()
        yield* failureOf(preparations.prepare(config, backend, heard.onLine))
        assert.deepStrictEqual(heard.lines, [])
        const forgetful = yield* open({ failuresKeptMs: 0 })
        yield* failureOf(forgetful.prepare(config, backend))
        yield* failureOf(forgetful.prepare(config, backend, heard.onLine))
        assert.include(heard.lines, "line 100")
        assert.deepStrictEqual(
          readdirSync(join(directory, "homes")).filter((name) => name !== "accounts"),
          []
        )
      }),
    timeout
  )

  it.live(
    "that were interrupted are done again from the beginning",
    () =>
      Effect.gen(function* () {
        const { directory, preparations } = yield* preparationWorld()
        const config = setup("touch /opt/environment/half; echo begun; [ -e /opt/environment/whole ] || sleep 600")
        const begun = yield* Deferred.make<void>()
        const fiber = yield* Effect.forkChild(
          preparations.prepare(config, backend, (line) =>
            line === "begun" ? Effect.asVoid(Deferred.succeed(begun, undefined)) : Effect.void
          )
        )
        yield* Deferred.await(begun)
        yield* Fiber.interrupt(fiber)
        const key = readdirSync(join(directory, "environments")).find((name) => name.length === 64)!
        const root = join(directory, "environments", key, "root")
        assert.isTrue(existsSync(join(root, "half")))
        assert.isFalse(existsSync(join(directory, "environments", key, "record.json")))

        // What would let the script end is not there any more when it runs again.
        writeFileSync(join(root, "whole"), "")
        const again = yield* Deferred.make<void>()
        const second = yield* Effect.forkChild(
          preparations.prepare(config, backend, (line) =>
            line === "begun" ? Effect.asVoid(Deferred.succeed(again, undefined)) : Effect.void
          )
        )
        yield* Deferred.await(again)
        assert.isFalse(existsSync(join(root, "whole")))
        yield* Fiber.interrupt(second)
      }),
    timeout
  )

  it.live(
    "are collected when they are too old or too many, and never while they are used",
    () =>
      Effect.gen(function* () {
        const { directory, open } = yield* preparationWorld()
        const keys = () => readdirSync(join(directory, "environments")).filter((name) => name.length === 64)
        const big = (name: string) => setup(`head -c 2000000 /dev/urandom > /opt/environment/${name}`)
        const preparations = yield* open({ limits: { bytesMax: 5_000_000, idleMsMax: 86_400_000 } })
        const used = yield* Scope.make()
        yield* Scope.provide(preparations.prepare(big("a"), backend), used)
        for (const name of ["b", "c", "d"]) yield* Effect.scoped(preparations.prepare(big(name), backend))
        yield* preparations.collect
        assert.isTrue(keys().length <= 3)
        const heard = collecting()
        yield* Effect.scoped(preparations.prepare(big("a"), backend, heard.onLine))
        assert.deepStrictEqual(heard.lines, [], "the one in use is still there")

        const strict = yield* open({ limits: { bytesMax: 5_000_000, idleMsMax: -1 } })
        yield* strict.collect
        assert.strictEqual(keys().length, 1)
        yield* Scope.close(used, Exit.void)
        assert.strictEqual(yield* strict.collect, 1)
        assert.deepStrictEqual(keys(), [])
      }),
    timeout
  )

  it.live(
    "leave nothing that gives rights, and nothing that cannot be read",
    () =>
      Effect.gen(function* () {
        const { directory, preparations } = yield* preparationWorld()
        yield* preparations.prepare(
          setup(
            "cd /opt/environment; mkdir closed; echo x > closed/file; chmod 4777 closed/file; chmod 0 closed; ln -s /etc/passwd link"
          ),
          backend
        )
        const key = readdirSync(join(directory, "environments")).find((name) => name.length === 64)!
        const root = join(directory, "environments", key, "root")
        assert.strictEqual(statSync(join(root, "closed")).mode & 0o7777, 0o755)
        assert.strictEqual(statSync(join(root, "closed/file")).mode & 0o7777, 0o755)
        assert.strictEqual(statSync(join(root, "closed/file")).uid, 0)
      }),
    timeout
  )

  it.live(
    "say which program the sandbox lacks",
    () =>
      Effect.gen(function* () {
        const { preparations } = yield* preparationWorld({ managers: { go: { variables: { PATH: "/nowhere" } } } })
        const failure = yield* failureOf(
          preparations.prepare(
            environmentOf({ packages: { ...environmentOf({}).packages, go: ["a.test/b@v1"] } }),
            backend
          )
        )
        assert.deepStrictEqual([failure.step, failure.reason._tag], ["go", "Missing"])
      }),
    timeout
  )

  it.live(
    "call cargo, gem and go with what was asked, in the order of their names",
    () =>
      Effect.gen(function* () {
        const tools = yield* shared
        const fake = (name: string) => ({
          files: [{ source: fakeManager(tools, name), target: `/opt/tools/${name}` }],
          variables: { PATH: "/opt/tools:/usr/bin:/bin" }
        })
        const { preparations, session } = yield* preparationWorld({
          managers: { cargo: fake("cargo"), gem: fake("gem"), go: fake("go") }
        })
        const heard = collecting()
        const packages = {
          ...environmentOf({}).packages,
          go: ["a.test/x@v1", "a.test/b"],
          cargo: ["just@1.2.3"],
          gem: ["rake:13.0"]
        }
        const prepared = yield* preparations.prepare(environmentOf({ packages }), backend, heard.onLine)
        assert.deepStrictEqual(
          heard.lines.filter((line) => !line.startsWith("Installing")),
          [
            "cargo install --root /opt/environment/cargo just@1.2.3",
            "gem install --no-document --install-dir /opt/environment/gem --bindir /opt/environment/gem/bin rake:13.0",
            "go install a.test/b@latest",
            "go install a.test/x@v1"
          ]
        )
        const sandbox = yield* session(backend, prepared)
        assert.strictEqual(
          yield* say(sandbox, "cargo-made; gem-made; go-made; ls /opt"),
          "made by cargo\nmade by gem\nmade by go\nenvironment"
        )
      }),
    timeout
  )
})

requires(
  "bubblewrap",
  "root",
  "apt"
)("apt", () => {
  it.live(
    "unpacks what the host lacks, with what that needs, and runs no script of it",
    () =>
      Effect.gen(function* () {
        const directory = yield* shared
        const repository = yield* debianRepository(directory, [
          {
            name: "troupe-greeter",
            depends: "troupe-words, libc6",
            files: { "usr/bin/troupe-greet": "#!/bin/sh\ncat $(dirname $(readlink -f $0))/../share/troupe/words\n" },
            postinst: `update-alternatives --install /usr/bin/hail \\\n  hail /usr/bin/troupe-greet 50 \\\n  --slave /usr/share/man/man1/hail.1.gz hail.1.gz /usr/share/man/man1/troupe-greet.1.gz\n`
          },
          {
            name: "troupe-words",
            files: {
              "usr/share/troupe/words": "good day\n",
              "usr/lib/some-linux-gnu/perl5/5.36/Troupe.pm": "package Troupe; sub word { 'perl' } 1;\n"
            }
          }
        ])
        const { preparations, session } = yield* preparationWorld({
          ports: [repository.port],
          managers: { apt: { hosts: ["registry.test"], files: [{ source: repository.etc, target: "/etc/apt" }] } }
        })
        const packages = { ...environmentOf({}).packages, apt: ["troupe-greeter"] }
        const prepared = yield* preparations.prepare(environmentOf({ packages }), backend)
        assert.include(repository.asked, "/debian/troupe-words_1.0_all.deb")
        const sandbox = yield* session(backend, prepared)
        assert.strictEqual(
          yield* say(sandbox, "troupe-greet; hail; perl -MTroupe -e 'print Troupe::word'; ls -d /etc/apt 2>/dev/null"),
          "good day\ngood day\nperl"
        )
        assert.isFalse(existsSync("/troupe-maintainer-script-ran"))

        const failure = yield* failureOf(
          preparations.prepare(environmentOf({ packages: { ...packages, apt: ["troupe-nowhere"] } }), backend)
        )
        assert.strictEqual(failure.step, "apt")
        assert.match(failure.message, /Unable to locate package troupe-nowhere/)
      }),
    timeout
  )
})

requires(
  "bubblewrap",
  "root",
  "system-npm"
)("npm", () => {
  const lefty = {
    name: "troupe-lefty",
    manifest: { bin: { lefty: "cli.js" } },
    files: {
      "cli.js": '#!/usr/bin/env node\nconsole.log("lefty " + require("troupe-lefty/lib.js"))\n',
      "lib.js": "module.exports = 42\n"
    }
  }

  it.live(
    "installs programs and modules from the registry that the host's owner names, and from no other",
    () =>
      Effect.gen(function* () {
        const registry = yield* npmRegistry(yield* shared, [lefty])
        const variables = { npm_config_registry: `http://registry.test:${registry.port}/` }
        const { preparations, session } = yield* preparationWorld({
          ports: [registry.port],
          managers: { npm: { hosts: ["registry.test"], variables } }
        })
        const packages = { ...environmentOf({}).packages, npm: ["troupe-lefty@1.0.0"] }
        const prepared = yield* preparations.prepare(environmentOf({ packages }), backend)
        const sandbox = yield* session(backend, prepared)
        assert.strictEqual(yield* say(sandbox, "lefty; env | grep -c npm_config_registry"), "lefty 42\n0")

        const closed = yield* preparationWorld({ managers: { npm: { variables } } })
        const heard = collecting()
        const failure = yield* failureOf(
          closed.preparations.prepare(environmentOf({ packages }), backend, heard.onLine)
        )
        assert.strictEqual(failure.step, "npm")
        assert.include(heard.lines, `The network refused registry.test:${registry.port} (host_not_allowed)`)
      }),
    timeout
  )

  it.live(
    "keeps to its own directory where nothing isolates, and apt and scripts are refused there",
    () =>
      Effect.gen(function* () {
        const registry = yield* npmRegistry(yield* shared, [lefty], "127.0.0.1")
        const variables = { npm_config_registry: `http://127.0.0.1:${registry.port}/` }
        const { preparations, session } = yield* preparationWorld({ managers: { npm: { variables } } })
        const packages = { ...environmentOf({}).packages, npm: ["troupe-lefty"] }
        const prepared = yield* preparations.prepare(environmentOf({ packages }), local())
        assert.deepStrictEqual(prepared.mounts, [])
        const sandbox = yield* session(local(), prepared)
        assert.strictEqual(yield* say(sandbox, "lefty"), "lefty 42")

        for (const [config, field] of [
          [environmentOf({ packages: { ...packages, apt: ["jq"] } }), "packages.apt"],
          [environmentOf({ setup: "true" }), "setup"]
        ] as const) {
          const failure = yield* failureOf(preparations.prepare(config, local()))
          assert.deepStrictEqual([failure.step, failure.reason._tag], [field, "Refused"])
        }
      }),
    timeout
  )
})

requires(
  "bubblewrap",
  "root",
  "system-pip"
)("pip", () => {
  it.live(
    "installs modules where Python finds them",
    () =>
      Effect.gen(function* () {
        const index = yield* pythonIndex(yield* shared, "troupe_snake", "word = 'hiss'\n")
        const variables = {
          PIP_INDEX_URL: `http://registry.test:${index.port}/simple/`,
          PIP_TRUSTED_HOST: "registry.test"
        }
        const { preparations, session } = yield* preparationWorld({
          ports: [index.port],
          managers: { pip: { hosts: ["registry.test"], variables } }
        })
        const packages = { ...environmentOf({}).packages, pip: ["troupe_snake==1.0"] }
        const prepared = yield* preparations.prepare(environmentOf({ packages }), backend)
        const sandbox = yield* session(backend, prepared)
        assert.strictEqual(
          yield* say(sandbox, "/usr/bin/python3 -c 'import troupe_snake; print(troupe_snake.word)'"),
          "hiss"
        )
      }),
    timeout
  )
})

requires(
  "bubblewrap",
  "root",
  "system-gem"
)("gem", () => {
  it.live(
    "installs programs, and modules where Ruby finds them",
    () =>
      Effect.gen(function* () {
        const directory = yield* shared
        const program = "require 'troupe_ruby'\nputs TroupeRuby::WORD\n"
        const index = yield* gemIndex(directory, "troupe_ruby", "module TroupeRuby; WORD = 'red'; end\n", program)
        const gemrc = join(directory, "gemrc")
        writeFileSync(gemrc, `:sources:\n- http://registry.test:${index.port}/\n`)
        const { preparations, session } = yield* preparationWorld({
          ports: [index.port],
          managers: {
            gem: {
              hosts: ["registry.test"],
              files: [{ source: gemrc, target: "/opt/gemrc" }],
              variables: { GEMRC: "/opt/gemrc" }
            }
          }
        })
        const packages = { ...environmentOf({}).packages, gem: ["troupe_ruby:1.0"] }
        const prepared = yield* preparations.prepare(environmentOf({ packages }), backend)
        assert.include(index.asked, "/gems/troupe_ruby-1.0.gem")
        const sandbox = yield* session(backend, prepared)
        assert.strictEqual(
          yield* say(sandbox, "troupe_ruby; ruby -e 'require %(troupe_ruby); puts TroupeRuby::WORD'; ls /opt"),
          "red\nred\nenvironment"
        )
      }),
    timeout
  )
})

requires(
  "bubblewrap",
  "root",
  "system-go",
  "system-pip"
)("go", () => {
  it.live(
    "builds and installs programs of a module",
    () =>
      Effect.gen(function* () {
        const main = 'package main\n\nfunc main() { println("gone") }\n'
        const proxy = yield* goProxy(yield* shared, "troupe.test/goner", main)
        const { preparations, session } = yield* preparationWorld({
          ports: [proxy.port],
          managers: {
            go: {
              hosts: ["registry.test"],
              variables: { GOPROXY: `http://registry.test:${proxy.port}`, GOSUMDB: "off" }
            }
          }
        })
        const packages = { ...environmentOf({}).packages, go: ["troupe.test/goner@v1.0.0"] }
        const prepared = yield* preparations.prepare(environmentOf({ packages }), backend)
        assert.include(proxy.asked, "/troupe.test/goner/@v/v1.0.0.zip")
        const sandbox = yield* session(backend, prepared)
        assert.strictEqual(yield* say(sandbox, "goner"), "gone")
      }),
    timeout
  )
})

requires(
  "bubblewrap",
  "root",
  "system-cargo"
)("cargo", () => {
  it.live(
    "builds and installs programs of a crate",
    () =>
      Effect.gen(function* () {
        const main = 'fn main() { println!("rusty") }\n'
        const registry = yield* crateRegistry(yield* shared, "troupe-rusty", main)
        const { preparations, session } = yield* preparationWorld({
          ports: [registry.port],
          managers: {
            cargo: {
              hosts: ["registry.test"],
              variables: {
                CARGO_REGISTRIES_TROUPE_INDEX: `sparse+http://registry.test:${registry.port}/index/`,
                CARGO_REGISTRY_DEFAULT: "troupe"
              }
            }
          }
        })
        const packages = { ...environmentOf({}).packages, cargo: ["troupe-rusty@1.0.0"] }
        const prepared = yield* preparations.prepare(environmentOf({ packages }), backend)
        assert.include(registry.asked, "/crates/troupe-rusty/1.0.0/download")
        const sandbox = yield* session(backend, prepared)
        assert.strictEqual(yield* say(sandbox, "troupe-rusty"), "rusty")
      }),
    timeout
  )
})

describe("an environment with a Dockerfile", () => {
  it.live("is refused, and not made without it", () =>
    Effect.gen(function* () {
      const { preparations } = yield* preparationWorld()
      for (const name of ["docker", "bubblewrap"]) {
        const config = environmentOf({ dockerfile: "FROM debian:12" })
        const failure = yield* failureOf(preparations.prepare(config, { ...none, name }))
        assert.deepStrictEqual([failure.step, failure.reason._tag], ["dockerfile", "Refused"])
      }
    })
  )
})

describe("an environment without packages and setup", () => {
  it.live("needs no preparation, with any backend", () =>
    Effect.gen(function* () {
      const { preparations } = yield* preparationWorld()
      const prepared = yield* preparations.prepare(environmentOf({ image: null }), none)
      assert.deepStrictEqual(prepared, { mounts: [], variables: {}, image: null, hooks: [] })
    })
  )
})
