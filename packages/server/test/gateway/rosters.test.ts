import Anthropic from "@anthropic-ai/sdk"
import { afterAll, assert, beforeAll, it } from "@effect/vitest"
import { requires } from "../../../../test/requires.ts"
import { type GatewayWorld, startGateway } from "./gatewayWorld.ts"

requires("postgres")("an agent's roster", () => {
  let world: GatewayWorld
  let scout: string
  beforeAll(async () => {
    world = await startGateway()
    scout = (await agents().create({ name: "scout", model: "m", system: "Look around." })).id
    await agents().update(scout, { description: "second" })
  }, 120_000)
  afterAll(() => world?.end())

  const agents = () => world.client.beta.agents
  type Multiagent = Parameters<ReturnType<typeof agents>["create"]>[0]["multiagent"]
  const lead = (multiagent: Multiagent) => agents().create({ name: "lead", model: "m", multiagent: multiagent! })
  const refused = async (multiagent: unknown) => {
    const error = await lead(multiagent as Multiagent).then(
      () => assert.fail("it was not refused"),
      (error: unknown) => error
    )
    assert.instanceOf(error, Anthropic.APIError)
    assert.strictEqual(error.status, 400)
    return (error.error as { readonly error: { readonly message: string } }).error.message
  }
  const team = (...entries: ReadonlyArray<unknown>) => ({ type: "coordinator", agents: entries }) as never

  it("names agents as they are now, and the advisor last", async () => {
    const advisor = { type: "advisor", model: "wise" }
    const made = await lead(team(advisor, scout, { type: "self" }))
    const own = { type: "agent", id: made.id, version: 1 }
    const now = { type: "agent", id: scout, version: 2 }
    assert.deepStrictEqual(made.multiagent as unknown, { type: "coordinator", agents: [now, own, advisor] })
    await agents().update(scout, { description: "third" })
    assert.deepStrictEqual((await agents().retrieve(made.id)).multiagent, made.multiagent)
    const renamed = await agents().update(made.id, { name: "chief" })
    assert.deepInclude(renamed.multiagent, { agents: [now, { ...own, version: 2 }, advisor] } as never)
    assert.isNull((await agents().update(made.id, { multiagent: null })).multiagent)
  })

  it("in three parts has its defaults written out, and is merged level by level", async () => {
    const made = await lead({ type: "multiagent_20261001", workflows: { type: "disabled" } })
    const enabled = { type: "enabled", inline_agents: { type: "enabled" }, predefined_agents: [] }
    const off = { type: "disabled" }
    const first = { type: "multiagent_20261001", subagents: enabled, workflows: off, advisor: off }
    assert.deepStrictEqual(made.multiagent as unknown, first)
    const old = { type: "agent", id: scout, version: 1 } as const
    const named = await agents().update(made.id, {
      multiagent: {
        type: "multiagent_20261001",
        subagents: { type: "enabled", predefined_agents: [old] },
        advisor: { type: "enabled", model: "wise" }
      }
    })
    const subagents = { ...enabled, predefined_agents: [old] }
    const advisor = { type: "enabled", model: "wise" }
    assert.deepStrictEqual(named.multiagent as unknown, { ...first, subagents, advisor })
    const back = await agents().update(made.id, { multiagent: { type: "multiagent_20261001", workflows: null } })
    assert.deepStrictEqual(back.multiagent as unknown, { ...first, subagents, advisor, workflows: enabled })
    const same = await agents().update(made.id, { multiagent: { type: "multiagent_20261001" } })
    assert.strictEqual(same.version, back.version)
  })

  it("is with a session as whole agents, for ever", async () => {
    const made = await lead(team({ type: "agent", id: scout, version: 1 }, { type: "self" }))
    const environment = await world.client.beta.environments.create({ name: "e" })
    const opened = await world.client.beta.sessions.create({ agent: made.id, environment_id: environment.id })
    const of = (session: typeof opened) => (session.agent.multiagent as unknown as { agents: Array<object> }).agents
    const [member, self] = of(opened)
    assert.deepInclude(member, { id: scout, version: 1, name: "scout", system: "Look around.", description: null })
    assert.deepInclude(self, { id: made.id, version: 1, name: "lead" })
    assert.notProperty(self, "multiagent")
    const changed = await world.client.beta.sessions.update(opened.id, {
      agent: { tools: [{ type: "agent_toolset_20260401" }] }
    })
    assert.deepStrictEqual(of(changed), of(opened))
  })

  it("is refused where it can't be", async () => {
    const nested = await lead(team(scout))
    assert.match(await refused(team(nested.id)), /^multiagent\.agents\.0: .* one deep/)
    assert.match(
      await refused(team(scout, { type: "agent", id: scout, version: 1 })),
      /^multiagent\.agents\.1: .* already/
    )
    assert.match(await refused(team({ type: "agent", id: scout, version: 99 })), /^multiagent\.agents\.0: .*not found/)
    assert.match(await refused(team()), /^multiagent\.agents/)
    assert.match(await refused({ type: "swarm" }), /^multiagent\.type/)
    const alone = { type: "enabled", inline_agents: { type: "disabled" } }
    assert.match(await refused({ type: "multiagent_20261001", subagents: alone }), /^multiagent\.subagents\.predefined/)
    const old = await agents().create({ name: "old", model: "m" })
    await agents().archive(old.id)
    assert.match(await refused(team(old.id)), /^multiagent\.agents\.0: .* archived/)
  })
})
