import type { Troupe } from "@troupe/client"
import { toolsWith } from "./Stage.ts"

const cast = [
  ["Engineer", "Changes code, runs the tests, and asks before anything leaves the machine"],
  ["Analyst", "Turns numbers into answers"],
  ["Release captain", "Writes notes, tags and publishes; asks before each step"]
] as const
type Name = (typeof cast)[number][0]

/** What was asked of whom, in lines that the demo model understands. */
const stories: ReadonlyArray<{ readonly title: string; readonly agent: Name; readonly says: string }> = [
  {
    title: "Weekly numbers for the board",
    agent: "Analyst",
    says: [
      `run: seq 1 5 | awk '{ printf "2026-11-%02d,%d\\n", $1, $1 * 417 }' > numbers.csv`,
      "read file numbers.csv",
      "say: Signups grew **every day**; the table is in `numbers.csv`."
    ].join("\n")
  },
  {
    title: "Release notes of 0.2",
    agent: "Analyst",
    says: [
      "write file NOTES.md Sessions can be forked from any event.",
      "run: mkdir -p /mnt/session/outputs && cp NOTES.md /mnt/session/outputs/"
    ].join("\n")
  },
  {
    title: "Why is the queue slow on Mondays?",
    agent: "Analyst",
    says: "say: Imports of the weekend come in at once."
  },
  { title: "Move the docs to the new theme", agent: "Engineer", says: "fail" },
  {
    title: "Which database for the trial?",
    agent: "Release captain",
    says: "ask me Which database is it to be? Postgres 17 / Postgres 18"
  },
  {
    title: "Publish 0.2",
    agent: "Release captain",
    says: "say: The tests are green; what is left is to publish.\nrun: npm publish --tag latest"
  }
]

const checks = [
  "[ -e fixed ] && printf '\\033[32m✓\\033[0m 5 tests passed\\n' && exit",
  "printf '\\033[32m✓\\033[0m link.test.ts (4 tests) 31ms\\n'",
  "printf '\\033[31m✗\\033[0m login.test.ts (1 test, 1 failed) 12ms\\n'",
  "printf '\\033[31m  → expected the promise to reject, but it resolved\\033[0m\\n'",
  "touch fixed"
].join("; ")

const hero = {
  title: "Fix the login test that fails since Tuesday",
  before: [
    `write file check ${checks}`,
    "& write file login.ts export const links = new Set<string>()",
    "run: chmod +x check"
  ].join("\n"),
  says: [
    "Find out why the login test fails, fix it, and publish it.",
    "say: I'll run the suite, and look at what the failing test is about.",
    "run: ./check",
    "read file login.ts",
    'call edit {"file_path": "login.ts", "old_string": "Set<string>", "new_string": "Map<string, Date>"}',
    "say: A link is remembered with the time of its **first use** now, so `login` refuses the second one.",
    "run: ./check",
    "run: npm publish --tag latest"
  ].join("\n")
} as const

/** Agents and sessions that look like a week of a small team's work. Answers what to look at first. */
export const perform = async (
  troupe: Troupe
): Promise<{ readonly session: string; readonly agent: string; readonly environment: string }> => {
  const rules = [{ tool: "bash", when: { command: "npm publish*" }, then: "ask", reason: "People publish." }] as const
  const { version } = await troupe.policies.retrieve()
  await troupe.policies.update({ version, policies: [{ type: "rules", rules }] })
  const settings = await troupe.settings.retrieve()
  const price = {
    input: 3_000_000,
    output: 15_000_000,
    cache_read: 300_000,
    cache_write_5m: 3_750_000,
    cache_write_1h: 6_000_000
  }
  await troupe.settings.update({ version: settings.version, prices: { demo: price } })
  const agents = new Map<Name, string>()
  for (const [name, description] of cast) {
    const system = `You are the ${name.toLowerCase()} of a small team. Say what you do before you do it.`
    const { id } = await troupe.agents.create({
      name,
      description,
      model: "demo",
      system,
      tools: toolsWith("always_allow")
    })
    agents.set(name, id)
  }
  const engineer = agents.get("Engineer")!
  await troupe.agents.update(engineer, { version: 1, description: "Changes code, and asks before it publishes" })
  const { id: environment } = await troupe.environments.create({
    name: "Offline",
    config: { type: "cloud", networking: { type: "limited" } }
  })
  for (const { agent, says, title } of stories) {
    const session = await troupe.open({ agent: agents.get(agent)!, title })
    await session.send(says)
  }
  const session = await troupe.open({ agent: engineer, title: hero.title })
  await session.send(hero.before)
  await session.until("idle")
  await session.send(hero.says)
  return { session: session.id, agent: engineer, environment }
}
