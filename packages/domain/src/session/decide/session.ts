import { Equal } from "effect"
import type { ResourceId } from "../../Ids.ts"
import { Limits } from "../../Limits.ts"
import type { Resource } from "../Opening.ts"
import type { CommandOf } from "../SessionCommand.ts"
import { limitKey, sessionStatus, used } from "../standing.ts"
import type { Draft } from "./Draft.ts"
import { interruptTurn } from "./ending.ts"
import { inputs } from "./people.ts"

/** Resources that a session is to have in addition to those that it has. */
const refuseResources = (draft: Draft, added: ReadonlyArray<Resource>): void => {
  const known = new Set<string>(draft.state._tag === "Open" ? draft.state.resources : [])
  if (known.size + added.length > Limits.resourcesMax) {
    draft.refuse({ _tag: "TooManyResources", max: Limits.resourcesMax })
  }
  for (const { resourceId } of added) {
    if (known.has(resourceId)) draft.refuse({ _tag: "IdTaken", id: resourceId })
    known.add(resourceId)
  }
}

export const open = (draft: Draft, command: CommandOf<"Open">): void => {
  if (draft.state._tag === "Open") draft.refuse({ _tag: "AlreadyOpen" })
  const { _tag, history, inputs: first, policies = [], ...opening } = command
  refuseResources(draft, command.resources)
  draft.emit({ _tag: "SessionOpened", ...opening, at: draft.at })
  if (history.length > 0) draft.emit({ _tag: "HistoryCopied", threadId: command.threadId, items: history })
  if (policies.length > 0) draft.emit({ _tag: "PoliciesChanged", policies })
  inputs(draft, first)
}

const refuseWhileBusy = (draft: Draft): void => {
  const { status } = sessionStatus(draft.session)
  if (status === "running" || status === "rescheduling") draft.refuse({ _tag: "Busy" })
}

/** A session that rests can be ended; turns that wait for something end with it. */
export const end = (draft: Draft, event: "SessionArchived" | "SessionDeleted"): void => {
  refuseWhileBusy(draft)
  for (const { threadId } of draft.session.threads) interruptTurn(draft, threadId, null)
  draft.emit({ _tag: event, at: draft.at })
}

/** Says only what changes; a command that changes nothing still leaves its mark in the log, so that a retry is known. */
export const update = (draft: Draft, { labels, metadata, title, visibility }: CommandOf<"Update">): void => {
  const { session } = draft
  const merged = Object.entries({ ...session.metadata, ...metadata })
  const bag = Object.fromEntries(merged.flatMap(([key, value]) => (value === null ? [] : [[key, value]])))
  draft.emit({
    _tag: "SessionUpdated",
    ...(title === undefined || title === session.title ? {} : { title }),
    ...(metadata === undefined || Equal.equals(bag, session.metadata) ? {} : { metadata: bag }),
    ...(labels === undefined || Equal.equals(labels, session.labels) ? {} : { labels }),
    ...(visibility === undefined || visibility === session.visibility ? {} : { visibility }),
    at: draft.at
  })
}

/** Another agent configuration applies from the next turn, so none may be running. No thread named: to all of them. */
export const reconfigure = (draft: Draft, { changes, digest, threadId }: CommandOf<"Reconfigure">): void => {
  refuseWhileBusy(draft)
  if (threadId !== null) draft.thread(threadId)
  draft.emit({ _tag: "AgentReconfigured", threadId, changes, digest })
}

export const addResource = (draft: Draft, { resource }: CommandOf<"AddResource">): void => {
  refuseResources(draft, [resource])
  draft.emit({ _tag: "ResourceAdded", resource })
}

const refuseUnknownResource = (draft: Draft, resourceId: ResourceId): void => {
  if (!draft.session.resources.includes(resourceId)) draft.refuse({ _tag: "UnknownResource", resourceId })
}

export const removeResource = (draft: Draft, { resourceId }: CommandOf<"RemoveResource">): void => {
  refuseUnknownResource(draft, resourceId)
  draft.emit({ _tag: "ResourceRemoved", resourceId })
}

export const refreshResource = (draft: Draft, { details, resourceId }: CommandOf<"RefreshResource">): void => {
  refuseUnknownResource(draft, resourceId)
  draft.emit({ _tag: "ResourceRefreshed", resourceId, details })
}

/** A budget is given when a session opens; later it is raised above what was used, or removed for good. */
export const changeBudget = (draft: Draft, { budget }: CommandOf<"ChangeBudget">): void => {
  if (draft.session.budget.length === 0) draft.refuse({ _tag: "BudgetCreateOnly" })
  const known = new Set(draft.session.budget.map(limitKey))
  const isSame = budget.length === known.size && budget.every((limit) => known.has(limitKey(limit)))
  for (const limit of budget) {
    // One that stays beside others that are changed may have been come up to.
    if (known.has(limitKey(limit)) && !isSame) continue
    const use = used(draft.session, limit, draft.at)
    if (limit.max <= use) draft.refuse({ _tag: "BudgetNotRaised", metric: limit.metric, consumed: use })
  }
  draft.emit({ _tag: "BudgetChanged", budget })
}

export const openThread = (draft: Draft, { _tag, ...thread }: CommandOf<"OpenThread">): void => {
  if (draft.session.threads.some((one) => one.threadId === thread.threadId)) {
    draft.refuse({ _tag: "IdTaken", id: thread.threadId })
  }
  if (draft.session.threads.filter(({ archived }) => !archived).length >= Limits.openThreadsMax) {
    draft.refuse({ _tag: "TooManyThreads", max: Limits.openThreadsMax })
  }
  if (thread.parentThreadId !== null) draft.thread(thread.parentThreadId)
  draft.emit({ _tag: "ThreadOpened", ...thread })
}

export const archiveThread = (draft: Draft, command: CommandOf<"ArchiveThread">): void => {
  const { queue, retry, threadId, turn } = draft.thread(command.threadId)
  if (threadId === draft.session.primary) {
    draft.refuse({ _tag: "Invalid", field: "threadId", detail: "is the primary thread" })
  }
  if (turn !== null || retry !== null || queue.length > 0) draft.refuse({ _tag: "Busy" })
  draft.emit({ _tag: "ThreadArchived", threadId })
}

export const setTimer = (draft: Draft, { _tag, ...timer }: CommandOf<"SetTimer">): void => {
  const { timerId } = timer
  if (draft.session.timers.some((one) => one.timerId === timerId)) draft.refuse({ _tag: "IdTaken", id: timerId })
  draft.emit({ _tag: "TimerSet", ...timer })
}

export const cancelTimer = (draft: Draft, { timerId }: CommandOf<"CancelTimer">): void => {
  if (!draft.session.timers.some((one) => one.timerId === timerId)) draft.refuse({ _tag: "UnknownTimer", timerId })
  draft.emit({ _tag: "TimerCancelled", timerId })
}

export const noteFork = (draft: Draft, { childId, seq }: CommandOf<"NoteFork">): void => {
  if (seq < 1) draft.refuse({ _tag: "UnknownSeq", seq })
  draft.emit({ _tag: "ForkPointed", childId, seq })
}

/** How far the log reaches is not in the state: what lies beyond is refused by the log's own rules. */
export const redact = (draft: Draft, { reason, replacements, seqs }: CommandOf<"RequestRedaction">): void => {
  const invalid = (field: string, detail: string) => draft.refuse({ _tag: "Invalid", field, detail })
  if (seqs.length !== replacements.length) invalid("replacements", "is not as long as seqs")
  if (new Set(seqs).size < seqs.length) invalid("seqs", "names one twice")
  const { redactions } = draft.session
  for (const seq of seqs) if (seq < 1 || redactions.includes(seq)) draft.refuse({ _tag: "UnknownSeq", seq })
  request(draft, seqs, reason, replacements)
}

const request = (
  draft: Draft,
  seqs: ReadonlyArray<number>,
  reason: string,
  replacements: ReadonlyArray<string>
): void => {
  const first = Math.min(...seqs)
  const reached = draft.session.forks.filter((fork) => fork.seq >= first).map((fork) => fork.childId)
  draft.emit({ _tag: "RedactionRequested", seqs, reason, replacements, forks: [...new Set(reached)] })
}

/** Said again, it adds nothing. */
export const widenRedaction = (draft: Draft, command: CommandOf<"WidenRedaction">): void => {
  const { reason, replacements, seqs } = command
  const known = new Set(draft.session.redactions)
  const fresh = seqs.flatMap((seq, index) => {
    const replacement = replacements[index]
    if (replacement === undefined || seq < 1 || known.has(seq)) return []
    known.add(seq)
    return [{ seq, replacement }]
  })
  if (fresh.length === 0) return
  request(
    draft,
    fresh.map(({ seq }) => seq),
    reason,
    fresh.map(({ replacement }) => replacement)
  )
}

export const confirmRedaction = (draft: Draft, command: CommandOf<"ConfirmRedaction">): void => {
  const seqs = command.seqs.filter((seq) => draft.session.redactions.includes(seq))
  if (seqs.length > 0) draft.emit({ _tag: "RedactionApplied", seqs })
}
