import { assert, describe, it } from "@effect/vitest"
import type { JsonObject } from "../../../src/Json.ts"
import { redact } from "../../../src/session/Redaction.ts"
import type { BudgetLimit } from "../../../src/session/Budget.ts"
import { after } from "../given.ts"
import type { Story } from "../given.ts"
import {
  answer,
  asked,
  completed,
  confirmation,
  failed,
  finished,
  forClient,
  frames,
  interrupt,
  limit,
  message,
  open,
  openThread,
  outcome,
  question,
  requested,
  requestEnded,
  requestStarted,
  result,
  resume,
  retry,
  send,
  start,
  started,
  suspended,
  systemMessage,
  threadId,
  turnId,
  wake
} from "../make.ts"

const change = (...budget: ReadonlyArray<BudgetLimit>) => ({ _tag: "ChangeBudget", budget }) as const
const working = (...budget: ReadonlyArray<BudgetLimit>) => after(open({ budget }), send(message(1)), start(1))
const request = (attempt: number, from: number, n: number) => frames(attempt, from, requestStarted(n), requestEnded(n))
/** One model request of 15 tokens and 100 millionths, one call, and half a second of work. */
const use = (story: Story) =>
  story.and(request(1, 1, 1), frames(1, 3, requested(1), started(1), finished(1))).later(500)

describe("a search of the web", () => {
  const searched = (n: number, details: JsonObject | null) => ({ ...finished(n), details })
  const web = (n: number) => requested(n, { name: "web_search", executor: "function", readOnly: true })
  const searching = (story: Story) => story.and(frames(1, 1, web(1), started(1), searched(1, { webSearches: 1 })))

  it("costs its list price, once, and counts for a limit on cost", () => {
    const story = searching(working(limit("cost_micro_usd", 20_000)))
    const { totals } = story.session
    assert.deepStrictEqual([totals.webSearches, totals.costMicroUsd], [1, 10_000])
    assert.deepStrictEqual(story.turn().totals, totals)
    const again = story.and(frames(1, 3, searched(1, { webSearches: 1 })))
    assert.deepStrictEqual(again.session.totals, totals)
    story
      .when(frames(1, 4, web(2), started(2), searched(2, { webSearches: 1 })))
      .thenEvents(...(["ToolRequested", "ToolStarted", "ToolFinished", "BudgetReached"] as const))
  })

  it("is what our own tool says, and nobody else", () => {
    const story = working().and(frames(1, 1, requested(1), started(1), searched(1, { webSearches: 7 })))
    assert.strictEqual(story.session.totals.costMicroUsd, 0)
  })

  it("keeps its price when what it found is redacted", () => {
    const story = searching(working())
    const event = story.log.findLast(({ _tag }) => _tag === "ToolFinished")!
    assert.deepInclude(redact(event), { details: { webSearches: 1 } })
  })
})

describe("a limit", () => {
  const limits = [
    limit("tokens", 15),
    limit("cost_micro_usd", 100),
    limit("active_ms", 500),
    limit("tool_calls", 1),
    limit("model_requests", 1)
  ]

  it("of each metric is said once when it is reached, and holds the turn", () => {
    for (const scope of ["session", "turn"] as const) {
      for (const enforcement of ["hard", "soft"] as const) {
        for (const one of limits.map((each) => ({ ...each, scope, enforcement }))) {
          const story = use(working(one)).and(wake)
          const reached = story.log.filter((event) => event._tag === "BudgetReached")
          assert.deepStrictEqual(
            reached.map(({ threadId: id, limits: list }) => [id, list]),
            [[scope === "turn" ? threadId() : null, [one]]]
          )
          story
            .and(frames(1, 6, suspended("budget")))
            .hasStatus("idle", "budget_reached")
            .when(start(1, 2))
            .thenRejected("NotDue")
        }
      }
    }
  })

  it("holds nothing before it is reached", () => {
    use(working(limit("cost_micro_usd", 101), limit("active_ms", 5_000)))
      .and(frames(1, 6, suspended("budget")))
      .hasStatus("running")
  })

  it("of working time is noticed while working", () => {
    const story = working(limit("active_ms", 1_000))
    story.when(wake).thenEvents()
    story.later(1_000).when(wake).thenEvents("BudgetReached").when(wake).thenEvents()
  })

  it("on cost counts working time where an hour has a price, beside what models were paid", () => {
    // A request of 100 millionths, and half a second at 80,000 an hour: 11 millionths.
    const story = use(working(limit("cost_micro_usd", 111, { hourMicroUsd: 80_000 })))
    story.when(wake).thenEvents("BudgetReached")
    use(working(limit("cost_micro_usd", 112, { hourMicroUsd: 80_000 })))
      .when(wake)
      .thenEvents()
    use(working(limit("cost_micro_usd", 111)))
      .when(wake)
      .thenEvents()
    story
      .when(change(limit("cost_micro_usd", 111, { hourMicroUsd: 80_000 })))
      .thenRejected({ _tag: "BudgetNotRaised", consumed: 111 })
  })

  it("of working time counts both threads at work", () => {
    working(limit("active_ms", 1_000))
      .and(openThread(2), send(message(2, { threadId: threadId(2) })), start(2, 2, 2))
      .later(600)
      .when(wake)
      .thenEvents("BudgetReached")
  })

  it("of a turn begins anew with the next", () => {
    const one = limit("model_requests", 1, { scope: "turn" })
    working(one)
      .and(request(1, 1, 1), send(message(2)), frames(1, 3, completed()), start(2))
      .when(request(2, 1, 2))
      .thenEvents("ModelRequestStarted", "ModelRequestEnded", { _tag: "BudgetReached", limits: [one] })
  })

  it("of a turn leaves other threads alone", () => {
    const story = working(limit("model_requests", 1, { scope: "turn" })).and(
      openThread(2),
      send(message(2, { threadId: threadId(2) })),
      start(2, 2, 2),
      request(1, 1, 1),
      frames(2, 1, forClient(1), suspended()),
      send(result(10, 1))
    )
    assert.strictEqual(story.turn(2).phase._tag, "Placing")
    story
      .and(start(2, 3, 2), request(3, 1, 2))
      .when(frames(3, 3, completed()))
      .thenEvent("TurnCompleted")
      .and(frames(1, 3, suspended("budget")))
      .hasStatus("idle", "budget_reached")
  })

  it("lets a turn that completes be complete", () => {
    working(limit("model_requests", 1))
      .and(request(1, 1, 1), frames(1, 3, completed()))
      .hasStatus("idle", "end_turn")
  })
})

describe("a soft limit", () => {
  const story = working(limit("model_requests", 1, { enforcement: "soft" })).and(
    request(1, 1, 1),
    frames(1, 3, suspended("budget"))
  )

  it("lets the turn go on when a person says so", () => {
    story.hasStatus("idle", "budget_reached").when(resume).thenEvents("SessionResumed", "TurnResumed", "StatusChanged")
  })

  it("holds the next turn as well until then, and is not said again", () => {
    const next = story.and(send(interrupt(10), message(2)))
    next
      .hasStatus("idle", "budget_reached")
      .and(resume)
      .hasStatus("running")
      .and(start(2))
      .when(request(2, 1, 2))
      .thenEvents("ModelRequestStarted", "ModelRequestEnded")
  })

  it("of a turn holds the next turn anew", () => {
    working(limit("model_requests", 1, { enforcement: "soft", scope: "turn" }))
      .and(
        request(1, 1, 1),
        frames(1, 3, suspended("budget")),
        resume,
        send(message(2)),
        start(1, 2),
        frames(2, 1, completed()),
        start(2, 3)
      )
      .and(request(3, 1, 2), frames(3, 3, suspended("budget")))
      .hasStatus("idle", "budget_reached")
  })
})

describe("at the hard cap", () => {
  const one = limit("model_requests", 1)
  const waiting = working(one).and(request(1, 1, 1), frames(1, 3, asked(1), forClient(2), question(3), suspended()))

  it("only answers and interrupts are taken", () => {
    for (const input of [message(2), message(2, { mode: "steer" }), systemMessage(2), outcome(2)]) {
      waiting.when(send(input)).thenRejected("BudgetReached")
    }
    waiting.when(send(interrupt(10), message(2))).thenRejected("BudgetReached")
    waiting
      .and(send(confirmation(10, 1)), send(result(11, 2)))
      .hasStatus("idle", "requires_action")
      .and(send(answer(12, 3)))
      .hasStatus("idle", "budget_reached")
      .and(send(interrupt(13)))
      .hasStatus("idle", "end_turn")
  })

  it("a failed turn is not tried again", () => {
    working(one)
      .and(request(1, 1, 1), frames(1, 3, failed(false)))
      .when(retry(1))
      .thenRejected("BudgetReached")
  })

  it("of a turn messages still queue", () => {
    working(limit("model_requests", 1, { scope: "turn" }))
      .and(request(1, 1, 1))
      .when(send(message(2)))
      .accepted()
  })

  it("raising it, or taking it away, lets the turn go on by itself", () => {
    const held = working(one).and(request(1, 1, 1), frames(1, 3, suspended("budget")))
    for (const body of [change(limit("model_requests", 2)), change()]) {
      held.when(body).thenEvents("BudgetChanged", { _tag: "TurnResumed", turnId: turnId(1) }, "StatusChanged")
    }
  })
})

describe("a budget", () => {
  it("is given when the session opens, and taken away for good", () => {
    after(open())
      .when(change(limit("tokens", 10)))
      .thenRejected("BudgetCreateOnly")
    after(open({ budget: [limit("tokens", 10)] }), change())
      .when(change(limit("tokens", 10)))
      .thenRejected("BudgetCreateOnly")
  })

  it("is set strictly above what was used", () => {
    const story = use(working(limit("tokens", 1_000), limit("active_ms", 9_000, { scope: "turn" })))
    story.when(change(limit("tokens", 15))).thenRejected({ _tag: "BudgetNotRaised", metric: "tokens", consumed: 15 })
    story.when(change(limit("tokens", 15, { scope: "turn" }))).thenRejected("BudgetNotRaised")
    story.when(change(limit("active_ms", 500))).thenRejected({ _tag: "BudgetNotRaised", metric: "active_ms" })
    story.when(change(limit("tokens", 16))).thenEvents("BudgetChanged")
  })

  it("may keep what was come up to, which holds on, where others are changed beside it", () => {
    const kept = limit("tool_calls", 1, { enforcement: "soft" })
    const story = use(working(limit("tokens", 15), kept)).and(wake, frames(1, 6, suspended("budget")))
    story.when(change(limit("tokens", 15), kept)).thenRejected("BudgetNotRaised")
    story
      .when(change(limit("tokens", 99), kept))
      .thenEvents("BudgetChanged", { _tag: "BudgetReached", limits: [kept] })
      .hasStatus("idle", "budget_reached")
      .and(resume)
      .hasStatus("running")
  })
})
