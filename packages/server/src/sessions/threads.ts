import { notFound } from "@troupe/domain/api/ApiError"
import type { Thread } from "@troupe/domain/api/Sessions"
import type { SessionId, ThreadId, WorkspaceId } from "@troupe/domain/Ids"
import { threadStatus } from "@troupe/domain/session/standing"
import { Effect } from "effect"
import { stateOf } from "./SessionCalls.ts"
import { SessionReads } from "./SessionReads.ts"
import type { ChildThread, SessionView } from "./SessionView.ts"

const primaryOf = ({ around, session }: SessionView): Thread => ({
  id: around.primary,
  type: "session_thread",
  session_id: session.id,
  agent: session.agent,
  status: session.status,
  parent_thread_id: null,
  stats: { ...session.stats, startup_seconds: 0 },
  usage: session.usage as unknown as Thread["usage"],
  workflow_run_id: null,
  created_at: session.created_at,
  updated_at: session.updated_at,
  archived_at: session.archived_at
})

const childOf = ({ around, session }: SessionView, child: ChildThread, status: Thread["status"]): Thread => ({
  id: child.threadId,
  type: "session_thread",
  session_id: session.id,
  agent: child.agent,
  status,
  parent_thread_id: child.parentThreadId ?? around.primary,
  stats: null,
  usage: null,
  workflow_run_id: null,
  created_at: child.createdAt,
  updated_at: session.updated_at,
  archived_at: child.archivedAt ?? session.archived_at
})

/** A session at rest is not woken to say that each of its threads is. */
const statuses = Effect.fnUntraced(function* ({ children, resting, session }: SessionView) {
  const known = new Map<ThreadId, Thread["status"]>()
  if (children.length === 0 || resting) return known
  const state = yield* stateOf(session.id)
  for (const thread of state.threads) known.set(thread.threadId, threadStatus(state, thread).status)
  return known
})

/** The session's threads: its own first, the others as they were opened. */
export const threadsOf = Effect.fn("threadsOf")(function* (view: SessionView) {
  const known = yield* statuses(view)
  const isOver = view.session.archived_at !== null
  const primary = known.get(view.around.primary)
  return [
    primary === undefined ? primaryOf(view) : { ...primaryOf(view), status: primary },
    ...view.children.map((child) =>
      childOf(view, child, isOver || child.archivedAt !== null ? "terminated" : (known.get(child.threadId) ?? "idle"))
    )
  ]
})

/** A session as the readers of one of its threads see it. */
export const threadView = Effect.fn("threadView")(function* (
  workspaceId: WorkspaceId,
  { id, thread }: { readonly id: SessionId; readonly thread: ThreadId }
) {
  const reads = yield* SessionReads
  const view = yield* reads.find(workspaceId, id)
  if (thread === view.around.primary) return view
  const child = view.children.find(({ threadId }) => threadId === thread)
  if (child === undefined) return yield* notFound(`Thread ${thread} was not found.`)
  return { ...view, around: { primary: thread, agentName: child.name, isChild: true } } satisfies SessionView
})
