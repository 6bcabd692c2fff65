import { assert, describe, it } from "@effect/vitest"
import type { EnvironmentConfig } from "@troupe/domain/environment/EnvironmentConfig"
import { Effect } from "effect"
import { randomUUID } from "node:crypto"
import { join } from "node:path"
import { requires } from "../../../../../test/requires.ts"
import { type Images, makeImages } from "../../../src/environment/image/Images.ts"
import { defaults, make } from "../../../src/sandbox/docker/DockerBackend.ts"
import { temporaryState } from "../../../src/sandbox/trial.ts"
import { httpServer } from "../../support/LocalServer.ts"
import { environmentOf, preparationWorld, say, type WorldOptions } from "../../support/preparationWorld.ts"

const timeout = 240_000
const image = "troupe-sandbox:1"

const collecting = () => {
  const lines: Array<string> = []
  return { lines, onLine: (line: string) => Effect.sync(() => void lines.push(line)) }
}

/** Everything that a test builds is gone with it. */
const removing = (images: Images) =>
  Effect.acquireRelease(
    Effect.sync((): Images & { readonly built: Array<string> } => {
      const built: Array<string> = []
      return {
        ...images,
        built,
        build: (asked) =>
          Effect.andThen(
            Effect.sync(() => built.push(asked.name)),
            images.build(asked)
          )
      }
    }),
    ({ built }) => Effect.forEach(built, images.remove, { discard: true })
  )

const world = Effect.fnUntraced(function* (options: WorldOptions = {}, build: { readonly timeoutMs?: number } = {}) {
  const owner = `test-${randomUUID()}`
  const backend = make({ ...defaults, owner, image })
  const images = yield* removing(makeImages({ engine: backend.engine, owner, ...build }))
  return { backend, images, ...(yield* preparationWorld({ images, ...options })) }
})

const offline = (dockerfile: string, other: Partial<EnvironmentConfig> = {}) =>
  environmentOf({ backend: "docker", dockerfile, network: { type: "none" }, ...other })

requires("docker", "root")("an environment with a Dockerfile", () => {
  it.live(
    "is an image of its own, made once, with what its setup adds; its commands have no network where it has none",
    () =>
      Effect.gen(function* () {
        const { backend, images, preparations, session } = yield* world()
        const word = randomUUID()
        const dockerfile = `FROM ${image}
RUN echo ${word} > /word && echo "built without $(ls /sys/class/net | tr '\\n' ' ')"
ENV IGNORED=yes`
        const setup = "cp /word /opt/environment/again"
        const heard = collecting()
        const prepared = yield* preparations.prepare(offline(dockerfile, { setup }), backend, heard.onLine)
        assert.match(prepared.image ?? "", /^troupe-environment:[0-9a-f]{32}$/)
        assert.include(heard.lines, "built without lo")
        const sandbox = yield* session(backend, prepared)
        assert.strictEqual(yield* say(sandbox, "cat /word /opt/environment/again"), `${word}\n${word}`)

        const again = collecting()
        assert.strictEqual(
          (yield* preparations.prepare(offline(dockerfile), backend, again.onLine)).image,
          prepared.image
        )
        assert.deepStrictEqual([again.lines, images.built.length], [[], 1])

        yield* sandbox.destroy
        yield* images.remove(prepared.image!)
        yield* preparations.prepare(offline(dockerfile), backend)
        assert.strictEqual(images.built.length, 2, "somebody removed it")
      }),
    timeout
  )

  it.live(
    "reaches what its network allows, through the proxy, and nothing else",
    () =>
      Effect.gen(function* () {
        const port = yield* httpServer((_request, response) => response.end("from outside\n"))
        const { backend, preparations, session } = yield* world({ ports: [port] })
        const network = {
          type: "limited",
          allowedHosts: ["registry.test"],
          allowMcpServers: false,
          allowPackageManagers: false
        } as const
        const fetching = `FROM ${image}
RUN curl -sS http://registry.test:${port}/ > /fetched && echo ${randomUUID()}
RUN curl -sS -o /dev/null -w 'other %{http_code}\\n' http://elsewhere.test/
RUN env | grep -ci proxy; curl -sS --noproxy '*' --max-time 5 http://127.0.0.1:${port}/ || echo closed`
        const heard = collecting()
        const config = environmentOf({ backend: "docker", dockerfile: fetching, network })
        const prepared = yield* preparations.prepare(config, backend, heard.onLine)
        assert.include(heard.lines, "other 403")
        assert.include(heard.lines, "closed")
        assert.include(heard.lines, "The network refused elsewhere.test:80 (host_not_allowed)")
        const sandbox = yield* session(backend, prepared)
        assert.strictEqual(yield* say(sandbox, "cat /fetched"), "from outside")
      }),
    timeout
  )

  it.live(
    "fails with what its command said, as what it is, and in its time",
    () =>
      Effect.gen(function* () {
        const { backend, preparations } = yield* world()
        const failure = (dockerfile: string, other: Partial<EnvironmentConfig> = {}) =>
          Effect.flip(preparations.prepare(offline(dockerfile, other), backend))
        const broken = yield* failure(`FROM ${image}\nRUN echo almost ${randomUUID()}; echo out of luck >&2; exit 7`)
        assert(broken.step === "dockerfile" && broken.reason._tag === "Failed")
        assert.match(broken.reason.ending, /returned a non-zero code: 7/)
        assert.include(broken.reason.said, "out of luck")

        const missing = yield* failure("FROM troupe-nowhere:1")
        assert.match(missing.message, /dockerfile.*the image troupe-nowhere:1 is not on this host/)
        const fetched = yield* failure(`FROM ${image}\nADD http://127.0.0.1/ /x`)
        assert.deepStrictEqual([fetched.reason._tag, /ADD/.test(fetched.message)], ["Refused", true])

        const size = { cpus: 1, memoryMb: 256, diskMb: 16, processes: 64 }
        const large = yield* failure(`FROM ${image}\nRUN echo ${randomUUID()}`, { size })
        assert.match(large.message, /the image takes \d+ MiB, and the environment's size has 16 MiB/)
        const writes = yield* failure(`FROM ${image}\nRUN dd if=/dev/zero of=/big bs=1M count=32 # ${randomUUID()}`, {
          size
        })
        assert.strictEqual(writes.reason._tag, "Failed")

        const { backend: other, preparations: hasty } = yield* world({}, { timeoutMs: 3_000 })
        const slow = yield* Effect.flip(
          hasty.prepare(offline(`FROM ${image}\nRUN echo ${randomUUID()}; sleep 600`), other)
        )
        assert(slow.reason._tag === "Failed")
        assert.strictEqual(slow.reason.ending, "not done in 3 s")
      }),
    timeout
  )

  it.live(
    "leaves no image behind that nobody uses any more",
    () =>
      Effect.gen(function* () {
        const { backend, images, open } = yield* world({ limits: { bytesMax: 1_000, idleMsMax: -1 } })
        const preparations = yield* open()
        const config = offline(`FROM ${image}\nRUN echo ${randomUUID()}`)
        yield* Effect.scoped(
          Effect.gen(function* () {
            const { image: name } = yield* preparations.prepare(config, backend)
            assert.strictEqual(yield* preparations.collect, 0)
            assert.isTrue(yield* images.has(name!))
          })
        )
        assert.strictEqual(yield* preparations.collect, 1)
        assert.isFalse(yield* images.has(images.built[0]!))
      }),
    timeout
  )
})

describe("an environment with a Dockerfile, where no engine answers", () => {
  it.live("says so, and that images are made by none of the other backends", () =>
    Effect.gen(function* () {
      const socketPath = join(yield* temporaryState("troupe-engine-"), "nobody.sock")
      const backend = make({ ...defaults, owner: "test", socketPath })
      const images = makeImages({ engine: backend.engine, owner: "test" })
      const { preparations } = yield* preparationWorld({ images })
      const failure = yield* Effect.flip(preparations.prepare(offline("FROM debian:12"), backend))
      assert.deepStrictEqual([failure.step, failure.reason._tag], ["dockerfile", "Sandbox"])
      assert.include(failure.message, `No Docker engine answers at ${socketPath}`)

      const { preparations: without } = yield* preparationWorld()
      const refused = yield* Effect.flip(without.prepare(offline("FROM debian:12"), backend))
      assert.match(refused.message, /this runner makes no images/)
    })
  )
})
