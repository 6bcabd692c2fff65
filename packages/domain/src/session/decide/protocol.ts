import type { FrameBody } from "../Frame.ts"
import type { Call, OpenSession, Turn } from "../SessionState.ts"
import { awaitsOnceAllowed } from "../standing.ts"

type Body<Tag extends FrameBody["_tag"]> = Extract<FrameBody, { readonly _tag: Tag }>

const requested = (session: OpenSession, turn: Turn, body: Body<"ToolRequested">): string | null => {
  const { awaits, callId, executor, verdict, within } = body
  if (session.threads.some((thread) => thread.turn?.calls.some((call) => call.callId === callId))) {
    return `the call ${callId} was requested before`
  }
  // Each of these would leave a call that nobody can ever finish, or start one that nobody allowed.
  if (verdict.permission === "deny") return awaits === "nothing" ? null : `a denied call awaits ${awaits}`
  if (awaits === "confirmation") return verdict.permission === "ask" ? null : "an allowed call awaits confirmation"
  if (within !== undefined) {
    if (awaits !== "answer") return `what the call ${within} asks awaits ${awaits}`
    const asking = turn.calls.find((call) => call.callId === within)
    return asking?.status === "started" ? null : `the call ${within} asks and does not run`
  }
  const outside = awaitsOnceAllowed(executor) === "result"
  if (outside !== (awaits === "result")) return `a call of a ${executor} awaits ${awaits}`
  return null
}

const started = ({ awaits, executor, status }: Call): string | null => {
  if (awaits !== "nothing") return `the call awaits ${awaits}`
  if (awaitsOnceAllowed(executor) === "result") return "the call is not the runner's to make"
  return status === "requested" || status === "approved" ? null : `the call is ${status}`
}

const finished = ({ awaits, status }: Call, { outcome }: Body<"ToolFinished">): string | null => {
  // A result or an answer closes its call, so a runner that closed it too could always come second.
  if (awaits === "result" || awaits === "answer") return `the call awaits ${awaits}`
  const ran = outcome === "succeeded" || outcome === "failed" || outcome === "timed_out"
  return ran && status !== "started" ? `the call is ${status}, it did not run` : null
}

/** What is wrong with a frame of a turn's attempt, if anything: a runner that says such things is not believed. */
export const violation = (session: OpenSession, turn: Turn, body: FrameBody): string | null => {
  const call = (callId: string, check: (call: Call) => string | null): string | null => {
    const found = turn.calls.find((one) => one.callId === callId)
    return found === undefined ? `there is no open call ${callId}` : check(found)
  }
  const open = (requestId: string) => turn.requests.some((one) => one.requestId === requestId)
  const works = (subagentId: string) => turn.subagents.some((one) => one.subagentId === subagentId)
  switch (body._tag) {
    case "ModelRequestStarted":
      if (body.subagentId !== undefined && !works(body.subagentId)) return "the sub-agent that asks does not work"
      return open(body.requestId) ? "the model request has started before" : null
    case "ModelRequestEnded":
      return open(body.requestId) ? null : "the model request is not open"
    case "ToolRequested":
      return requested(session, turn, body)
    case "ToolStarted":
      return call(body.callId, started)
    case "ToolFinished":
      return call(body.callId, (found) => finished(found, body))
    case "SubagentStarted": {
      const { callId, parentId, subagentId } = body
      if (works(subagentId)) return "the sub-agent has started before"
      if (parentId !== null && !works(parentId)) return "the sub-agent that began it does not work"
      const runs = ({ status }: Call) => (status === "started" ? null : `the call is ${status}, nobody works for it`)
      return callId === null ? null : call(callId, runs)
    }
    case "SubagentEnded":
      return works(body.subagentId) ? null : "the sub-agent does not work"
    case "SteerTaken":
      return turn.steers.some((one) => one.inputId === body.inputId) ? null : `there is no steer ${body.inputId}`
    default:
      return null
  }
}
