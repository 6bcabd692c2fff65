import { afterAll, assert, beforeAll, it } from "@effect/vitest"
import type { SessionId } from "@troupe/domain/Ids"
import { Effect } from "effect"
import { execFileSync } from "node:child_process"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { defaults } from "../../packages/runner/src/sandbox/docker/DockerBackend.ts"
import { listContainers, removeContainer, removeImage } from "../../packages/runner/src/sandbox/docker/Engine.ts"
import { connect } from "../../packages/runner/src/sandbox/docker/EngineApi.ts"
import { label } from "../../packages/runner/test/sandbox/fixtures/docker-client.ts"
import { anthropicAt } from "../../packages/server/test/support/anthropic.ts"
import { apiKey } from "../../packages/server/test/support/apiKey.ts"
import { requires } from "../../test/requires.ts"
import { System, wordsOf } from "../support/System.ts"

/** A killed runner leaves its containers to the next one, and there is none. */
const removeFromEngine = Effect.fnUntraced(function* (
  owners: ReadonlyArray<string>,
  images: ReadonlyArray<string | null>
) {
  const engine = yield* connect(defaults.socketPath)
  for (const owner of owners) {
    for (const { Id } of yield* listContainers(engine, { owner })) yield* removeContainer(engine, Id)
  }
  for (const image of images) if (image !== null) yield* removeImage(engine, image)
})

const clientModule = join(import.meta.dirname, "../../packages/runner/test/sandbox/fixtures/docker-elsewhere.ts")
const containersLabel = `e2e-${process.pid}`

/** The same for those that the SDK's client has made. */
const removeLabelled = () => {
  const ask = (...args: ReadonlyArray<string>) => execFileSync("docker", args, { encoding: "utf8" }).trim()
  const ids = ask("ps", "--all", "--quiet", "--filter", `label=${label}=${containersLabel}`)
  if (ids !== "") ask("rm", "--force", ...ids.split("\n"))
}

requires(
  "postgres",
  "docker",
  "root"
)("sessions in containers", () => {
  const owners = new Set<string>()
  let system: System

  beforeAll(async () => {
    system = await System.make()
    await system.node()
    const env = { TROUPE_SANDBOX_MODULES: clientModule, TROUPE_TEST_LABEL: containersLabel }
    system.runner({ env })
  }, 120_000)
  afterAll(async () => {
    const [runner] = system.runners
    const kept = join(runner!.state, "environments")
    const images = readdirSync(kept).flatMap((key) => {
      const record = join(kept, key, "record.json")
      return existsSync(record) ? [(JSON.parse(readFileSync(record, "utf8")) as { image: string | null }).image] : []
    })
    await system.end()
    await Effect.runPromise(removeFromEngine([...owners], images))
    removeLabelled()
  }, 60_000)

  it("run where their environment says", { timeout: 240_000 }, async () => {
    const [node] = system.nodes
    const session = await system.open(node!, { environment: { backend: "docker", network: { type: "none" } } })
    await system.say(node!, session, "run: ls -a / | grep -c dockerenv; echo from $PWD")
    const events = await system.turnsEnded(session, 1)
    const created = events.find((event) => event._tag === "SandboxCreated")
    assert.deepInclude(created, { backend: "docker", isolation: "container" })
    owners.add(created!.runnerId)
    assert.include(wordsOf(events), "1\nfrom /workspace")
  })

  it(
    "run whole in machines that share no files with the runner: their files are carried, kept and taken up again",
    { timeout: 240_000 },
    async () => {
      const [node] = system.nodes
      const session = await system.open(node!, { environment: { backend: "boxes", network: { type: "none" } } })
      const steps = [
        "run: echo from $(id -u) > said; cd /tmp; nohup sh -c 'sleep 1; echo later > /workspace/later' > /dev/null 2>&1 &",
        'call edit {"file_path":"said","old_string":"from","new_string":"of"}',
        'call write {"file_path":"made/here","content":"by a tool"}',
        "run: pwd; cat /workspace/said /workspace/made/here; cp /workspace/said /mnt/session/outputs/out",
        'call glob {"pattern":"**/*"}',
        "run: until [ -s /workspace/later ]; do sleep 0.1; done; rm /workspace/said",
        'call read {"file_path":"later"}'
      ]
      await system.say(node!, session, steps.join("\n"))
      const events = await system.turnsEnded(session, 1)
      const created = events.find((event) => event._tag === "SandboxCreated")
      assert.deepInclude(created, { backend: "boxes", isolation: "container" })
      const [, , , shown, found, , read] = events
        .filter(({ _tag }) => _tag === "ToolFinished")
        .map((one) => wordsOf([one]))
      assert.match(shown!, /^\/tmp\nof [1-9]\d+\nby a tool/)
      assert.include(found, "/workspace/made/here")
      assert.include(read, "later")
      const client = anthropicAt(node!.gateway)
      const [output] = (await client.beta.files.list({ scope_id: session })).data
      assert.match(await (await client.beta.files.download(output!.id)).text(), /^of [1-9]\d+\n$/)

      const [turn] = events.flatMap((event) => (event._tag === "TurnCompleted" ? [event.turnId] : []))
      const response = await fetch(`${node!.gateway}/v1/sessions/${session}/fork`, {
        method: "POST",
        headers: { "content-type": "application/json", "x-api-key": apiKey },
        body: JSON.stringify({ turn })
      })
      assert.isTrue(response.ok, node!.output.slice(-20).join("\n"))
      const { id } = (await response.json()) as { readonly id: SessionId }
      await system.say(node!, id, "run: ls; cat later made/here")
      const restored = (await system.turnsEnded(id, 1)).filter(({ _tag }) => _tag === "ToolFinished").slice(-1)
      assert.match(wordsOf(restored), /^later\nmade\nlater\nby a tool/)
    }
  )

  it("run an image that their environment describes", { timeout: 240_000 }, async () => {
    const [node] = system.nodes
    const dockerfile = "FROM troupe-sandbox:1\nRUN echo baked > /baked"
    const environment = { backend: "docker", dockerfile, network: { type: "none" }, setup: "echo over $(cat /baked)" }
    const session = await system.open(node!, { environment })
    await system.say(node!, session, "run: cat /baked")
    const events = await system.turnsEnded(session, 1)
    assert.include(wordsOf(events.filter(({ _tag }) => _tag === "ToolFinished")), "baked")
    const said = events.flatMap((event) => (event._tag === "PlatformNoted" ? [event.message] : []))
    assert.include(said.join("\n"), "over baked")
    assert.include(said.join("\n"), "Step 2")
  })
})
