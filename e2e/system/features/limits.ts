import type { BudgetLimit } from "@troupe/domain/session/Budget"
import { strict as assert } from "node:assert"
import { only } from "../waiting.ts"
import { longTalk, results, type Story } from "./Story.ts"

const requests = (max: number, enforcement: "soft" | "hard"): BudgetLimit => ({
  metric: "model_requests",
  max,
  enforcement,
  scope: "session"
})

/** What holds turns to a budget: of the turn, of the session, of the workspace's day. */
export const limits = async (story: Story) => {
  const reached = () => story.until("the limit is told", (fresh) => only(fresh, "BudgetReached").length > 0)

  await story.begin({ budget: [{ metric: "tool_calls", max: 1, enforcement: "soft", scope: "turn" }] })
  await story.chapter("A soft limit of a turn asks, and is let pass", async () => {
    await story.send(story.message("run: echo one\nrun: echo two"))
    await story.waits()
    await story.command({ _tag: "Resume" })
    assert.match(results(await story.ended()), /two/)
  })

  await story.begin({ budget: [requests(1, "soft"), requests(4, "hard")] })
  await story.chapter("A soft limit of the session asks, a hard one stops", async () => {
    await story.send(story.message("run: echo soft"))
    const fresh = await reached()
    await story.command({ _tag: "ChangeBudget", budget: [requests(4, "hard")] })
    const rest = only(fresh, "TurnCompleted").length === 0 ? await story.ended() : []
    assert.match(results([...fresh, ...rest]), /soft/)
    await story.send(story.message("run: echo hard\nrun: echo harder"))
    await story.waits()
    const refused = await story.send(story.message("say: more")).catch(String)
    assert.match(String(refused), /BudgetReached/)
    story.world.telling.note(`another message is refused: ${String(refused).replace(/^Error: /, "")}`)
    await story.command({ _tag: "ChangeBudget", budget: [] })
    await story.ended()
    assert.match(results(story.events), /harder/)
  })

  await story.begin({})
  await story.chapter("A workspace's day has a limit, which somebody raises", async () => {
    const settle = (max: number) =>
      story.api("/settings", { day_limits: [{ metric: "model_requests", max, enforcement: "hard" }] })
    await settle(1)
    // It is held before it begins, or before its next request where it was quicker than the limit.
    await story.send(story.message(`${longTalk}\nrun: echo one\n${longTalk}\nrun: echo at last`))
    await story.until("it waits for the budget", (fresh) =>
      only(fresh, "TurnWaiting").some(({ reason }) => reason.startsWith("budget:"))
    )
    await settle(1_000_000)
    await story.ended()
    assert.match(results(story.events), /at last/)
  })
}
