import * as Events from "@troupe/domain/api/Events"
import * as Inbox from "@troupe/domain/api/Inbox"
import { SessionRpc } from "@troupe/domain/api/SessionRpc"
import * as Sessions from "@troupe/domain/api/Sessions"
import type { SessionId } from "@troupe/domain/Ids"
import { Effect } from "effect"
import { sendEvents } from "../events/sendEvents.ts"
import { showBlobs } from "../events/showBlobs.ts"
import type { Caller } from "../gateway/Requests.ts"
import { bodyReader } from "../gateway/Route.ts"
import { answerApproval } from "../inbox/answering.ts"
import { askedOfSession } from "../inbox/askedOfSession.ts"
import { approvalOut } from "../inbox/routes.ts"
import { openSession } from "../sessions/openSession.ts"
import { SessionReads } from "../sessions/SessionReads.ts"
import { called } from "./calling.ts"
import { followLog } from "./followLog.ts"

type From = Caller["Service"]

const sessionIn = Effect.fnUntraced(function* ({ workspaceId }: From, id: SessionId) {
  const reads = yield* SessionReads
  return yield* reads.find(workspaceId, id)
})

const readSession = bodyReader(Sessions.create)
const readEvents = bodyReader(Events.send)
const readAnswer = bodyReader(Inbox.answerSessionApproval)

/** What is called over RPC, done as requests are. */
export const handlers = SessionRpc.toLayer({
  CreateSession: (payload, { headers }) =>
    called({ endpoint: Sessions.create, scope: "write", headers, payload }, (caller) =>
      Effect.gen(function* () {
        const id = yield* openSession(yield* readSession(payload.body))
        return (yield* sessionIn(caller, id)).session
      })
    ),

  RetrieveSession: (payload, { headers }) =>
    called({ endpoint: Sessions.retrieve, scope: "read", headers, payload }, (caller) =>
      Effect.map(sessionIn(caller, payload.id), ({ session }) => session)
    ),

  SendEvents: (payload, { headers }) =>
    called({ endpoint: Events.send, scope: "write", headers, payload, isRepeatable: true }, (caller) =>
      Effect.gen(function* () {
        const { known } = yield* SessionReads
        const { events } = yield* readEvents({ events: payload.events })
        const { sent } = yield* sendEvents(yield* known(caller.workspaceId, payload.id), events)
        return yield* showBlobs(caller.workspaceId, sent)
      })
    ),

  ListApprovals: (payload, { headers }) =>
    called({ endpoint: Inbox.sessionApprovals, scope: "read", headers, payload }, (caller) =>
      Effect.gen(function* () {
        const asked = yield* askedOfSession(yield* sessionIn(caller, payload.id), "approval")
        return asked.map(approvalOut)
      })
    ),

  AnswerApproval: (payload, { headers }) =>
    called({ endpoint: Inbox.answerSessionApproval, scope: "approve", headers, payload }, (caller) =>
      Effect.gen(function* () {
        const answer = yield* readAnswer(payload.body)
        const { event_id } = yield* answerApproval(yield* sessionIn(caller, payload.id), payload.call, answer)
        return { event_id }
      })
    ),

  FollowLog: followLog
})
