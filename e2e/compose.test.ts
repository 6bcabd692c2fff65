import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { parse } from "yaml"

const root = join(import.meta.dirname, "..")
const read = (path: string) => readFileSync(join(root, path), "utf8")

interface Service {
  readonly image: string
  readonly build?: { readonly dockerfile: string; readonly args: Readonly<Record<string, string>> }
  readonly command?: ReadonlyArray<string>
  readonly environment?: Readonly<Record<string, string | null>>
  readonly read_only?: boolean
  readonly cap_drop?: ReadonlyArray<string>
  readonly security_opt?: ReadonlyArray<string>
  readonly ports?: ReadonlyArray<string>
  readonly volumes?: ReadonlyArray<string>
  readonly depends_on?: ReadonlyArray<string> | Readonly<Record<string, unknown>>
}

interface Composed {
  readonly services: Readonly<Record<string, Service>>
  readonly volumes: Readonly<Record<string, null>>
}

const words = read("docker/compose.yaml")
const { services, volumes } = parse(words, { merge: true }) as Composed
const ours = Object.entries(services).filter(([, { build }]) => build !== undefined)

const dependsOn = ({ depends_on = [] }: Service) => (Array.isArray(depends_on) ? depends_on : Object.keys(depends_on))

describe("what compose starts", () => {
  it("is a Postgres, two nodes and a runner", () => {
    assert.hasAllKeys(services, ["postgres", "node-1", "node-2", "runner"])
  })

  it("depends on what is there, and keeps what it keeps in volumes that are named", () => {
    for (const [name, service] of Object.entries(services)) {
      for (const other of dependsOn(service)) assert.property(services, other, name)
      for (const volume of service.volumes ?? []) assert.property(volumes, volume.split(":")[0]!, name)
    }
  })

  it("is built by what the recipe takes", () => {
    for (const [name, { build }] of ours) {
      const taken = [...read(build!.dockerfile).matchAll(/^ARG (\w+)/gm)].map(([, argument]) => argument)
      assert.includeMembers(taken, Object.keys(build!.args), name)
    }
  })

  it("can neither write to its own image nor become more than it is, and is heard on this host alone", () => {
    for (const [name, service] of ours) {
      assert.isTrue(service.read_only, name)
      assert.deepStrictEqual(service.cap_drop, ["ALL"], name)
      assert.include(service.security_opt ?? [], "no-new-privileges", name)
      for (const port of service.ports ?? []) assert.match(port, /^127\.0\.0\.1:/, name)
    }
  })

  it("has one word for the database, and one by which the runner is let in", () => {
    const { environment, command = [] } = services["runner"]!
    for (const name of ["node-1", "node-2"]) {
      const node = services[name]!.environment!
      assert.strictEqual(node["TROUPE_RUNNER_TOKEN"], environment!["TROUPE_RUNNER_TOKEN"])
      assert.include(node["DATABASE_URL"], services["postgres"]!.environment!["POSTGRES_PASSWORD"]!)
      assert.include(node["TROUPE_NODE_ADDRESS"], name)
    }
    const port = /TROUPE_PORT=(\d+)/.exec(read("docker/Dockerfile"))![1]
    const servers = command.flatMap((word, index) => (command[index - 1] === "--server" ? [word] : []))
    assert.deepStrictEqual(servers, [`http://node-1:${port}`, `http://node-2:${port}`])
  })

  it("asks for secrets, which have no value of their own, as the manual says", () => {
    const manual = read("docs/docker.md")
    const demanded = new Set([...words.matchAll(/\$\{(\w+):\?/g)].map(([, name]) => name!))
    assert.deepStrictEqual([...demanded].sort(), ["TROUPE_PASSWORD", "TROUPE_RUNNER_TOKEN"])
    for (const name of demanded) assert.include(manual, `${name}=`)
  })
})
