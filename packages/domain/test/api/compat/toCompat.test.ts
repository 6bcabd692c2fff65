import { assert, describe, it } from "@effect/vitest"
import { shownTags, type Surroundings, toCompat } from "../../../src/api/compat/toCompat.ts"
import { noTotals } from "../../../src/session/Usage.ts"
import { attemptId, blockId, callId, inputId, nth, requestId, threadId, turnId } from "../../session/ids.ts"

const recordedAt = 1_795_000_000_123_456
const processed_at = "2026-11-18T11:06:40.123456Z"
const [primary, other] = [threadId(1), threadId(2)]
const here = { primary, agentName: "helper" }

const told = (event: object, around: Surroundings = here) =>
  toCompat({ eventId: nth("Event", 1), recordedAt, event: event as never }, around) as ReadonlyArray<
    Readonly<Record<string, unknown>>
  >

const content = [{ type: "text", text: "words" }]
const turn = { threadId: primary, turnId: turnId(1) }
const attempt = { ...turn, attemptId: attemptId(1), frame: 1 }
const call = { callId: callId(1), name: "bash", input: { command: "ls" }, executor: "function", server: null }
const requested = { ...attempt, ...call, awaits: "nothing", verdict: { permission: "allow" } }
const finished = { ...attempt, callId: callId(1), executor: "function", outcome: "succeeded", content, isError: false }
const usage = {
  source: "measured",
  inputTokens: 40,
  outputTokens: 9,
  cacheReadTokens: 5,
  cacheWrite5mTokens: 2,
  cacheWrite1hTokens: 1
}
const error = { code: "model_overloaded", message: "Busy." }
const overloaded = (status: string) => ({
  type: "model_overloaded_error",
  message: "Busy.",
  retry_status: { type: status }
})
const start = nth("Event", 0).slice(0, 5) + requestId(1).slice(5)

/** What an event is, and what is told of it: all but the time, and but ids that are the event's own. */
type Row = readonly [event: object, ...shown: ReadonlyArray<object>]

const rows = {
  MessageTaken: [
    [
      { ...turn, inputId: inputId(2), content },
      { type: "user.message", id: inputId(2), content }
    ],
    [
      { ...turn, inputId: inputId(2), content, from: other },
      { type: "agent.thread_message_received", id: inputId(2), from_session_thread_id: other, content }
    ]
  ],
  ThreadMessaged: [
    [
      { fromThreadId: primary, threadId: other, content },
      { type: "agent.thread_message_sent", to_session_thread_id: other, content }
    ],
    [{ fromThreadId: other, threadId: primary, content }]
  ],
  SystemMessageReceived: [
    [
      { threadId: primary, inputId: inputId(2), content },
      { type: "system.message", id: inputId(2), content }
    ]
  ],
  InterruptRequested: [
    [
      { threadId: primary, turnId: null, inputId: inputId(2) },
      { type: "user.interrupt", id: inputId(2) }
    ],
    // It is told where the turn ends.
    [{ threadId: primary, turnId: turnId(1), inputId: inputId(2) }]
  ],
  TurnInterrupted: [
    [
      { ...turn, inputIds: [inputId(2), inputId(3)] },
      { type: "user.interrupt", id: inputId(2) },
      { type: "user.interrupt", id: inputId(3) }
    ]
  ],
  TurnCompleted: [
    [{ ...attempt, inputIds: [] }],
    [
      { ...attempt, inputIds: [inputId(2)] },
      { type: "user.interrupt", id: inputId(2) }
    ]
  ],
  ToolConfirmed: [
    [
      { ...turn, callId: callId(1), inputId: inputId(2), decision: { type: "allow_session" } },
      { type: "user.tool_confirmation", id: inputId(2), tool_use_id: callId(1), result: "allow" }
    ],
    [
      { ...turn, callId: callId(1), inputId: inputId(2), decision: { type: "deny", message: "No." } },
      { type: "user.tool_confirmation", id: inputId(2), tool_use_id: callId(1), result: "deny", deny_message: "No." }
    ],
    [{ ...turn, callId: callId(1), inputId: null, decision: { type: "expired" } }],
    [
      { threadId: other, callId: callId(1), inputId: inputId(2), decision: { type: "allow_once" } },
      {
        type: "user.tool_confirmation",
        id: inputId(2),
        tool_use_id: callId(1),
        result: "allow",
        session_thread_id: other
      }
    ]
  ],
  ToolAnswered: [
    [
      { ...turn, callId: callId(1), inputId: inputId(2), executor: "client", content, isError: false },
      { type: "user.custom_tool_result", id: inputId(2), custom_tool_use_id: callId(1), content, is_error: false }
    ],
    [
      { ...turn, callId: callId(1), inputId: inputId(2), executor: "worker", content, isError: true },
      { type: "user.tool_result", id: inputId(2), tool_use_id: callId(1), content, is_error: true }
    ]
  ],
  QuestionAnswered: [
    [
      { ...turn, callId: callId(1), inputId: inputId(2), answer: ["red", "blue"] },
      {
        type: "user.custom_tool_result",
        id: inputId(2),
        custom_tool_use_id: callId(1),
        content: [{ type: "text", text: '["red","blue"]' }],
        is_error: false
      }
    ]
  ],
  OutcomeDefined: [
    [
      { inputId: inputId(2), outcomeId: "outc_1", description: "done", rubric: { type: "text" }, maxIterations: 3 },
      {
        type: "user.define_outcome",
        id: inputId(2),
        outcome_id: "outc_1",
        description: "done",
        rubric: { type: "text" },
        max_iterations: 3
      }
    ]
  ],
  MessageBlock: [
    [
      { ...attempt, blockId: blockId(1), content },
      { type: "agent.message", id: blockId(1), content }
    ]
  ],
  ThinkingBlock: [
    [
      { ...attempt, blockId: blockId(1), content },
      { type: "agent.thinking", id: blockId(1) }
    ]
  ],
  ToolRequested: [
    [
      requested,
      { type: "agent.tool_use", id: callId(1), name: "bash", input: call.input, evaluated_permission: "allow" }
    ],
    [
      { ...requested, verdict: { permission: "deny" } },
      { type: "agent.tool_use", id: callId(1), name: "bash", input: call.input, evaluated_permission: "deny" }
    ],
    [
      { ...requested, executor: "mcp", server: "papers", name: "mcp__papers__find", ownName: "find", input: "x" },
      {
        type: "agent.mcp_tool_use",
        mcp_server_name: "papers",
        id: callId(1),
        name: "find",
        input: { input: "x" },
        evaluated_permission: "allow"
      }
    ],
    [
      { ...requested, executor: "client" },
      { type: "agent.custom_tool_use", id: callId(1), name: "bash", input: call.input }
    ],
    // A call of another thread is shown where somebody is waited for.
    [{ ...requested, threadId: other }],
    [
      { ...requested, threadId: other, awaits: "approval", verdict: { permission: "ask" } },
      {
        type: "agent.tool_use",
        id: callId(1),
        name: "bash",
        input: call.input,
        session_thread_id: other,
        evaluated_permission: "ask"
      }
    ]
  ],
  ToolFinished: [
    [finished, { type: "agent.tool_result", tool_use_id: callId(1), content, is_error: false }],
    [
      { ...finished, executor: "mcp", isError: true },
      { type: "agent.mcp_tool_result", mcp_tool_use_id: callId(1), content, is_error: true }
    ],
    [
      { ...finished, executor: "worker" },
      { type: "user.tool_result", tool_use_id: callId(1), content, is_error: false }
    ],
    [
      { ...finished, executor: "worker", outcome: "denied", isError: true },
      { type: "agent.tool_result", tool_use_id: callId(1), content, is_error: true }
    ]
  ],
  ModelRequestStarted: [
    [
      { ...attempt, requestId: requestId(1) },
      { type: "span.model_request_start", id: start }
    ]
  ],
  ModelRequestEnded: [
    [
      { ...attempt, requestId: requestId(1), outcome: "failed", usage },
      {
        type: "span.model_request_end",
        model_request_start_id: start,
        is_error: true,
        model_usage: {
          input_tokens: 40,
          output_tokens: 9,
          cache_creation_input_tokens: 3,
          cache_read_input_tokens: 5
        }
      }
    ]
  ],
  ContextCompacted: [[attempt, { type: "agent.thread_context_compacted" }], [{ ...attempt, threadId: other }]],
  StatusChanged: [
    [
      {
        session: { status: "rescheduling", stop: null },
        threads: [{ threadId: primary, name: "primary", status: "rescheduling", stop: null }],
        totals: noTotals,
        budget: []
      },
      { type: "session.thread_status_rescheduled", session_thread_id: primary, agent_name: "helper" },
      { type: "session.status_rescheduled" }
    ],
    [
      {
        session: { status: "idle", stop: { type: "requires_action", eventIds: [callId(1)] } },
        threads: [],
        totals: noTotals,
        budget: []
      },
      { type: "session.usage" },
      { type: "session.status_idle" }
    ],
    [
      { session: { status: "terminated", stop: null }, threads: [], totals: noTotals, budget: [] },
      { type: "session.status_terminated" }
    ]
  ],
  TurnFailed: [
    [
      { ...turn, error, retryStatus: "exhausted" },
      { type: "session.error", error: overloaded("exhausted") }
    ]
  ],
  RetryAsked: [
    [
      { ...turn, error },
      { type: "session.error", error: overloaded("exhausted") }
    ]
  ],
  AttemptTroubled: [
    [
      { ...attempt, error, retryStatus: "retrying" },
      { type: "session.error", error: overloaded("retrying") }
    ],
    [{ ...attempt, error, retryStatus: "exhausted" }]
  ],
  ThreadOpened: [
    [
      { threadId: other, name: "scout" },
      { type: "session.thread_created", session_thread_id: other, agent_name: "scout", workflow_run_id: null }
    ]
  ],
  SessionUpdated: [
    [{ metadata: { a: "1", b: "2" } }, { type: "session.updated", metadata: { a: "1", b: "2" } }],
    [{ title: "t" }, { type: "session.updated", title: "t" }],
    // Labels are not the contract's.
    [{ labels: ["x"] }]
  ],
  AgentReconfigured: [[{ threadId: null, changes: { model: "other" } }]],
  BudgetChanged: [[{ budget: [] }, { type: "session.updated", budget: null }]],
  PoliciesChanged: [
    [
      { policies: [{ type: "always_ask" }] },
      { type: "session.updated", troupe: { policies: [{ type: "always_ask" }] } }
    ]
  ],
  SessionDeleted: [[{}, { type: "session.deleted" }]]
} satisfies Readonly<Record<(typeof shownTags)[number], ReadonlyArray<Row>>>

describe("What the compatible API tells of an event", () => {
  it.each(shownTags)("%s", (tag) => {
    for (const [event, ...shown] of rows[tag] as ReadonlyArray<Row>) {
      const events = told({ _tag: tag, ...event })
      assert.lengthOf(events, shown.length, JSON.stringify(events))
      for (const [index, one] of events.entries()) {
        const { id, processed_at: at, ...rest } = one
        const { id: ownId, ...wanted } = shown[index] as { readonly id?: string }
        assert.strictEqual(at, processed_at)
        if (ownId !== undefined) assert.strictEqual(id, ownId)
        // Of these the contract's words are held in files of their own.
        if (rest.type === "session.usage" || rest.type === "session.status_idle") assert.deepInclude(rest, wanted)
        else assert.deepStrictEqual(rest as object, wanted)
      }
      const ids = events.map(({ id }) => id)
      assert.strictEqual(new Set(ids).size, ids.length)
      assert.deepStrictEqual(
        ids,
        told({ _tag: tag, ...event }).map(({ id }) => id)
      )
    }
  })

  it("to who reads a thread by itself is that thread's own, and the session's end", () => {
    const child = { primary: other, agentName: "scout", isChild: true }
    assert.lengthOf(told({ _tag: "MessageBlock", ...attempt, blockId: blockId(1), content }, child), 0)
    const own = { ...attempt, threadId: other, blockId: blockId(1), content }
    assert.lengthOf(told({ _tag: "MessageBlock", ...own }, child), 1)
    assert.lengthOf(told({ _tag: "SessionDeleted" }, child), 1)
    assert.lengthOf(told({ _tag: "SessionUpdated", title: "t" }, child), 0)
  })
})
