import { assert, it } from "@effect/vitest"
import { callFacts } from "@troupe/domain/tools/callFacts"
import { builtInTools } from "@troupe/domain/tools/Toolset"
import { Effect } from "effect"
import { toolCatalog } from "../../src/tools/toolCatalog.ts"
import { agentWith, noFetch, noPlace, toolset } from "./world.ts"

it("Built-in tools are what dry runs take them for", () => {
  const parts = {
    place: noPlace(),
    fetch: noFetch,
    search: {} as never,
    summarizer: null,
    planned: () => Effect.void,
    others: []
  }
  const { tools } = toolCatalog({ agent: agentWith([toolset()]), overrides: {}, environment: null }, parts)
  const facts = tools.map(({ paths, scripts, spec: { name, readOnly } }) => [name, { readOnly, paths, scripts }])
  assert.sameMembers(
    tools.map(({ spec }) => spec.name),
    [...builtInTools]
  )
  assert.deepStrictEqual(Object.fromEntries(facts), callFacts)
})
