import { forbidden, invalid, notFound } from "@troupe/domain/api/ApiError"
import { tooManyPairs } from "@troupe/domain/api/Common"
import type * as Api from "@troupe/domain/api/Replay"
import { type CommandId, ResourceId, SessionId, ThreadId, type TurnId } from "@troupe/domain/Ids"
import { fileSpecOf } from "@troupe/domain/session/FileResource"
import { isHostDirectory } from "@troupe/domain/session/HostDirectory"
import type { Resource } from "@troupe/domain/session/Opening"
import * as Codec from "@troupe/domain/session/Codec"
import { Effect, Result } from "effect"
import { Files } from "../files/Files.ts"
import { Caller, Mint } from "../gateway/Requests.ts"
import type { Asked } from "../gateway/Route.ts"
import { EventStore } from "../log/EventStore.ts"
import { eventsMax, Folds } from "../replay/Folds.ts"
import { forkPoint } from "../session/fork.ts"
import { turnEnd } from "../turns/startedTurns.ts"
import { giveFiles } from "./giveFiles.ts"
import { command, mintCommand } from "./SessionCalls.ts"
import type { SessionView } from "./SessionView.ts"

type Wanted = Asked<typeof Api.fork>["payload"]

/** Where a fork leaves its parent. */
const seqOf = Effect.fnUntraced(function* (sessionId: SessionId, { seq, turn }: Wanted) {
  if (seq != null && turn != null) return yield* invalid("turn: is not taken together with seq")
  if (turn != null) return yield* afterTurn(sessionId, turn)
  const folds = yield* Folds
  const { version } = yield* folds.head(sessionId)
  if (seq == null) return version
  if (seq < 1 || seq > version) return yield* invalid(`seq: takes 1 to ${version}`)
  return seq
})

const afterTurn = Effect.fnUntraced(function* (sessionId: SessionId, turn: TurnId) {
  const end = yield* turnEnd(sessionId, turn)
  if (end === null) return yield* notFound(`Turn ${turn} was not found.`)
  if (end === "open") return yield* invalid(`turn: ${turn} has not ended yet`)
  return end
})

/** Where this very request left the parent, if it came so far before: what it wrote there has moved the parent's end. */
const seqOfBefore = Effect.fnUntraced(function* (sessionId: SessionId, noting: CommandId) {
  const store = yield* EventStore
  const [receipt] = yield* Effect.orDie(store.receipts(sessionId, [noting]))
  if (receipt?._tag !== "Accepted") return null
  const [event] = yield* Effect.orDie(store.read(sessionId, { after: receipt.seq - 1, limit: 1 }))
  if (event === undefined) return null
  const pointed = Codec.decodeFast(event)
  return Result.isSuccess(pointed) && pointed.success._tag === "ForkPointed" ? pointed.success.seq : null
})

/** Resources of its own: files are copied, and one that its parent has not kept since is left behind. */
const ownResources = Effect.fnUntraced(function* (sessionId: SessionId, resources: ReadonlyArray<Resource>) {
  const files = yield* Files
  const mint = yield* Mint
  const { workspaceId } = yield* Caller
  const [named, others] = [
    resources.filter(({ type }) => type === "file"),
    // It begins with what the fork point's checkpoint holds, and never writes that into its parent's directory.
    resources.filter((one) => one.type !== "file" && !isHostDirectory(one))
  ]
  // Of one that was redacted there is nothing to copy.
  const specs = named.flatMap((resource) => fileSpecOf(resource) ?? [])
  const wanted = yield* Effect.forEach(specs, ({ file_id: fileId, mount_path: mountPath, unpack }) => {
    return files.find(workspaceId, fileId).pipe(
      Effect.as([{ fileId, mountPath, unpack: unpack === true }]),
      Effect.catchTag("ApiFailure", () => Effect.succeed([]))
    )
  })
  const copied = yield* giveFiles(sessionId, wanted.flat())
  return [...copied, ...others.map((one) => ({ ...one, resourceId: ResourceId.make(mint("Resource")) }))]
})

/** Opens a session that goes on from a place in another one, with its own copy of the conversation. */
export const forkSession = Effect.fn("forkSession")(function* ({ session }: SessionView, wanted: Wanted) {
  const store = yield* EventStore
  const mint = yield* Mint
  const { bound, tokenId, workspaceId } = yield* Caller
  if (bound !== null && (bound.type !== "end_user" || bound.session_ids !== null)) {
    return yield* forbidden("This token is for sessions that are there, and opens none")
  }
  // In this order: had it been noted in between, it would be found noted.
  const asked = yield* seqOf(session.id, wanted)
  const noting = yield* mintCommand("NoteFork")
  const seq = (yield* seqOfBefore(session.id, noting)) ?? asked
  if (seq > eventsMax) return yield* invalid(`seq: forks are made of ${eventsMax} events at most`, "log_too_long")
  const point = yield* forkPoint(store, session.id, seq).pipe(
    Effect.catchTag("NoForkPoint", (error) => Effect.fail(invalid(error.message)))
  )
  const { history, origin, setup, state } = point
  if (setup === null || state._tag !== "Open") return yield* invalid(`Session ${session.id} can't be forked at ${seq}`)
  const metadata = { ...state.metadata, ...wanted.metadata }
  const tooMany = tooManyPairs(metadata)
  if (tooMany !== undefined) return yield* tooMany
  const sessionId = SessionId.make(mint("Session"))
  const resources = yield* ownResources(sessionId, setup.resources)
  // First, so that a redaction there knows of every copy. Where nothing follows, nothing is lost by it.
  yield* command(session.id, { _tag: "NoteFork", childId: sessionId, seq }, noting)
  yield* command(sessionId, {
    _tag: "Open",
    sessionId,
    workspaceId,
    threadId: ThreadId.make(mint("Thread")),
    agent: setup.agents.get(state.primary) ?? setup.agent,
    environment: setup.environment,
    resources,
    vaultIds: session.vault_ids as never,
    title: wanted.title === undefined ? state.title : wanted.title,
    metadata,
    labels: state.labels,
    budget: state.budget,
    origin,
    createdBy: tokenId,
    projectId: state.projectId as never,
    visibility: state.visibility,
    endUser: state.endUser,
    deploymentId: null,
    externalThreadKey: null,
    lifecycle: state.lifecycle,
    policies: setup.policies,
    history,
    inputs: []
  })
  return sessionId
})
