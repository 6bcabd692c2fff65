import { assert, describe, it } from "vitest"
import { copiesOf, foundAsked, listAsked, sessionsAsked, usageAsked } from "../../src/app/copies.logic.ts"

const origin = "http://127.0.0.1:4777"

describe("what a page shows, elsewhere", () => {
  it("is asked for by curl, by a program and in a terminal", () => {
    const [curl, program, command] = copiesOf(listAsked("tokens", "tokens", "keys"), origin)
    assert.strictEqual(curl!.text, `curl -H "Authorization: Bearer $TROUPE_API_KEY" '${origin}/v1/tokens'`)
    assert.include(program!.text, "for await (const one of troupe.tokens.list()) console.log(one)")
    assert.strictEqual(command!.text, `TROUPE_SERVER_URL=${origin} npx troupe keys list`)
  })

  it("is one thing where it is no list, and no command where there is none", () => {
    const fleet = { path: "/v1/fleet", client: "troupe.fleet.retrieve()", command: null }
    const all = copiesOf(fleet, origin)
    assert.deepStrictEqual(
      all.map(({ title }) => title),
      ["curl", "TypeScript"]
    )
    assert.include(all[1]!.text, "console.log(await troupe.fleet.retrieve())")
  })

  it("has what the page is filtered by", () => {
    assert.deepStrictEqual(sessionsAsked({ "statuses[]": [] }), {
      path: "/v1/sessions",
      client: "troupe.sessions.list()",
      isList: true,
      command: "sessions list"
    })
    assert.strictEqual(
      sessionsAsked({ "statuses[]": ["running", "rescheduling"] }).command,
      "sessions list --status running --status rescheduling"
    )
    const filtered = sessionsAsked({ "statuses[]": ["idle"], agent_id: "agent_1", include_archived: "true" })
    assert.strictEqual(filtered.command, "sessions list --status idle --agent agent_1 --archived")
    assert.strictEqual(filtered.path, "/v1/sessions?agent_id=agent_1&include_archived=true&statuses%5B%5D=idle")
    assert.include(filtered.client, `"statuses[]":["idle"]`)
    assert.strictEqual(foundAsked("it's & that").path, "/v1/search?q=it%27s+%26+that")
    assert.strictEqual(
      usageAsked("2026-01-01", "2026-01-31", "model").command,
      "usage --from 2026-01-01 --to 2026-01-31 --by model"
    )
  })
})
