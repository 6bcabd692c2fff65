import { assert, describe, it } from "vitest"
import { type Declared, declaredBy } from "./support/contractTypes.ts"
import { read } from "./support/repository.ts"

/** Parameters that are headers, the same of every request. */
const everywhere = ["betas", "workspace_id"]

const declared: Readonly<Record<string, Declared>> = {
  Agents: declaredBy(["agents/agents", "agents/versions"]),
  Environments: declaredBy(["environments/environments"]),
  Work: declaredBy(["environments/work"]),
  Sessions: declaredBy(["sessions/sessions"]),
  "Resources of sessions": declaredBy(["sessions/resources"]),
  Threads: declaredBy(["sessions/threads/threads", "sessions/threads/events"]),
  Events: declaredBy(["sessions/events"]),
  Files: declaredBy(["files"]),
  Models: declaredBy(["models"]),
  Errors: declaredBy(["beta"], (name) => name !== "AnthropicBeta")
}

/** The names in the first cells of a table, each as often as it stands there. */
const namesOf = (section: string, heading: "field" | "value"): ReadonlyArray<string> => {
  const [, table = ""] =
    new RegExp(`^\\| ${heading} \\| state \\|\\n\\|[-|]+\\n((?:\\|.*\\n)+)`, "m").exec(section) ?? []
  return table.split("\n").flatMap((row) => {
    const [, first = ""] = /^\| (.+?) \| .+ \|$/.exec(row) ?? []
    return [...first.matchAll(/`([^`]+)`/g)].map(([, name]) => name!)
  })
}

const sections = new Map(
  `${read("docs/fields.md")}\n`
    .split(/^## /m)
    .slice(1)
    .map((section) => [section.slice(0, section.indexOf("\n")), section] as const)
)

describe("The contract's types", () => {
  it("have sections of the page, and it has no others", () => {
    assert.sameMembers([...sections.keys()], ["Every request", ...Object.keys(declared)])
    assert.sameMembers([...namesOf(sections.get("Every request")!, "field")], everywhere)
  })

  it.each(Object.keys(declared))("name what the page tells of: %s", (title) => {
    const { fields, values } = declared[title]!
    const section = sections.get(title) ?? assert.fail(`docs/fields.md has no section ${title}`)
    const own = [...fields].filter((name) => !everywhere.includes(name))
    assert.sameMembers([...namesOf(section, "field")], own)
    assert.sameMembers([...namesOf(section, "value")], [...values])
  })

  it("are found whole", () => {
    const count = (kind: keyof Declared) => Object.values(declared).reduce((sum, one) => sum + one[kind].size, 0)
    assert.isAbove(count("fields"), 350)
    assert.isAbove(count("values"), 220)
    assert.includeMembers([...declared["Work"]!.fields], ["Anthropic-Worker-ID", "sessions_token"])
    assert.includeMembers([...declared["Events"]!.values], ["workflow_run.phase_ended", "text/plain", "asc"])
    assert.notInclude([...declared["Agents"]!.values], "My First Agent")
  })
})
