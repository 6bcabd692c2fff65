import type { EventId } from "@troupe/domain/Ids"
import type { JsonObject } from "@troupe/domain/Json"
import type { FrameBody } from "@troupe/domain/session/Frame"
import { layersOf, confinementOf } from "@troupe/domain/tools/PolicyLayers"
import { Clock, Effect, Layer, Option, Result, type Scope } from "effect"
import { type AttemptContext, AttemptHindered, AttemptToolsFactory } from "../attempt/AttemptTools.ts"
import { hinderedBy, preparationNotes } from "./preparationNotes.ts"
import { parseAuthority } from "@troupe/domain/network/hosts"
import type { HarnessEnd } from "../harness/Harness.ts"
import { SafeFetch } from "../egress/SafeFetch.ts"
import { modelClassifier } from "../harness/model/modelClassifier.ts"
import { pageReader } from "../harness/model/pageReader.ts"
import { modelSampler } from "../harness/model/modelSampler.ts"
import { elicited, elicitedAnswer } from "../mcp/elicitation.ts"
import type { McpPeople } from "../mcp/McpPeople.ts"
import { McpSessions } from "../mcp/McpSessions.ts"
import { mintEventId } from "../mint.ts"
import { Models } from "../models/Models.ts"
import { planTold } from "../tools/platform/updatePlan.ts"
import { toolCatalog } from "../tools/toolCatalog.ts"
import { makeToolGateway } from "../tools/ToolGateway.ts"
import type { SearchProvider } from "../tools/web/SearchProvider.ts"
import type { Place } from "./Place.ts"
import { Places } from "./Places.ts"
import { configOf } from "./placeSettings.ts"
import type { Rest } from "./rest.ts"

interface ToolsOptions {
  /** What this host's owner keeps for preparation profiles, by name. */
  readonly hostSecrets: () => Readonly<Record<string, string>>
  readonly search: (fetch: SafeFetch["Service"]) => SearchProvider | null
}

/** How long the end of an attempt may wait to learn what it changed. */
const changesMs = 3_000

type Request = AttemptContext["request"]

/** The hosts of the agent's MCP servers, which a limited network may allow. */
const mcpHosts = ({ agent }: Request) =>
  agent.mcpServers.flatMap(({ url }) => {
    const parsed = typeof url === "string" ? URL.parse(url) : null
    if (parsed === null) return []
    const port = parsed.port === "" ? (parsed.protocol === "http:" ? 80 : 443) : Number(parsed.port)
    const endpoint = parseAuthority(`${parsed.hostname}:${port}`)
    return endpoint === undefined ? [] : [endpoint]
  })

/** Whether a place that is not here any more was taken away as its environment says. */
const isDeletedBy = ({ environment, runnerId, sandbox }: Request): boolean => {
  const config = configOf(environment)
  if (Result.isFailure(config) || sandbox?.runnerId !== runnerId) return false
  const { onCompletion, ttlSeconds } = config.success.lifecycle
  return onCompletion === "delete" || ttlSeconds !== null
}

const endedBy = (end: HarnessEnd): Rest["ended"] =>
  end._tag === "Completed" ? "done" : end._tag === "Suspended" ? "waiting" : "failed"

const begins = (place: Place, { sleeps = false }: Request) =>
  Effect.flatMap(Clock.currentTimeMillis, (at) => place.rest({ ended: "working", kept: false, sleeps, at }))

const sandboxFacts = (place: Place, request: Request) => {
  const { backend, sandboxId } = place.record()
  return { sandboxId, runnerId: request.runnerId, backend }
}

/**
 * The tools of attempts, at their sessions' places. What the log says of the sandbox is compared with what is here: a
 * place that is not the log's is a lost one, and its working copy is had from the last checkpoint.
 */
export const layer = (options: ToolsOptions) =>
  Layer.effect(
    AttemptToolsFactory,
    Effect.gen(function* () {
      const places = yield* Places
      const fetch = yield* SafeFetch
      const search = options.search(fetch)
      const models = yield* Models
      const mcp = yield* McpSessions

      /** Without an auxiliary model, pages come whole. */
      const summarizerOf = ({ frames, request, secret, spending }: AttemptContext) => {
        const { auxModel } = request.agent
        if (auxModel === null) return null
        const choose = models.choose(auxModel, secret, request.prices)
        return pageReader({ frames, choose, spending, cacheKey: `${request.sessionId}:pages` })
      }

      /** There is one where the agent names a model for small tasks. */
      const classifierOf = ({ frames, request, secret, spending }: AttemptContext) => {
        const { auxModel } = request.agent
        if (auxModel === null) return null
        const choose = Effect.map(
          models.choose(auxModel, secret, request.prices),
          Result.getOrElse(() => null)
        )
        const cacheKey = `${request.sessionId}:classifier`
        return modelClassifier({ choose, frames, cacheKey, spending })
      }

      /** Brings the place to where the log says it is. */
      const settle = Effect.fnUntraced(function* (
        context: AttemptContext
      ): Effect.fn.Return<Place, Placeless, Scope.Scope> {
        const { frames, request } = context
        const { checkpoint, sandbox, sessionId } = request
        const here = places.record(sessionId)
        const isTheLogs = here !== null && (sandbox === null || sandbox.sandboxId === here.sandboxId)
        if (here !== null && !isTheLogs) yield* places.destroy(sessionId)
        const place = yield* places.open({
          ...request,
          mcpHosts: mcpHosts(request),
          confinement: confinementOf(layersOf(request))
        })
        if (isTheLogs) return place
        if (sandbox?.live === true && isDeletedBy(request)) {
          const reason = "its environment keeps no sandbox in which nothing works"
          yield* frames.emit({ _tag: "SandboxDestroyed", sandboxId: sandbox.sandboxId, reason })
        } else if (sandbox?.live === true) {
          const reason = sandbox.runnerId === request.runnerId ? "its place is gone" : "the turn runs on another runner"
          yield* frames.emit({ _tag: "SandboxLost", sandboxId: sandbox.sandboxId, reason })
        }
        // Somebody's own directory is as it is: nothing of it was lost with the sandbox.
        if (place.record().inPlace !== null) return place
        if (checkpoint !== null) {
          yield* place.restore(checkpoint.checkpoint)
          const restored = { ...sandboxFacts(place, request), checkpoint: checkpoint.checkpoint }
          yield* frames.emit({ _tag: "SandboxRestored", ...restored })
          yield* frames.emit({ _tag: "WorkingCopyRewound", toSeq: checkpoint.seq, callIds: checkpoint.lacks })
        } else if (sandbox !== null) {
          yield* frames.emit({ _tag: "WorkingCopyRewound", toSeq: 0, callIds: [] })
        }
        return place
      })

      /** Tells the log of a sandbox that it does not know of yet, once. */
      const announcer = ({ frames, request }: AttemptContext, place: Place) => {
        const { sandbox } = request
        let told = sandbox?.live === true && sandbox.sandboxId === place.record().sandboxId
        return Effect.suspend(() => {
          if (told) return Effect.void
          told = true
          const isolation = place.tools.isolation
          const body: FrameBody = { _tag: "SandboxCreated", ...sandboxFacts(place, request), isolation }
          // A full journal ends the attempt at its next word.
          return Effect.ignore(frames.emit(body))
        })
      }

      /** Worth telling, and not worth failing or waiting long for. */
      const changesSince = (place: Place, before: string | null) =>
        Effect.timeoutOption(place.changes(before), changesMs).pipe(
          Effect.map(Option.getOrNull),
          Effect.catch(({ message }) =>
            Effect.as(Effect.logWarning(`What a turn changed is not known: ${message}`), null)
          )
        )

      /** Files that no program wrote are in a place, too: people look for them where the log says that it is. */
      const capture = Effect.fnUntraced(function* (
        context: AttemptContext,
        place: Place,
        announce: Effect.Effect<void>,
        wasEmpty: boolean
      ) {
        const before = place.record().checkpoint
        const captured = yield* Effect.result(place.capture)
        if (captured._tag === "Failure") {
          const event = {
            _tag: "PlatformNoted",
            code: "checkpoint_failed",
            message: captured.failure.message,
            details: {}
          } as const
          yield* context.frames.emit({ _tag: "Noted", event })
          return
        }
        const { bytes, checkpoint, files } = captured.success
        // Where this can't be noted down the place is kept longer than it must be.
        yield* Effect.ignore(place.rest({ kept: true }))
        if (files > 0) yield* announce
        if (checkpoint === before) return
        const changes = before === null && !wasEmpty ? null : yield* changesSince(place, before)
        const told = changes === null ? {} : { changes }
        yield* context.frames.emit({ _tag: "WorkingCopyCaptured", checkpoint, bytes, files, ...told })
      })

      /** Brings the mounts to what the session was given. What can't be had is said, and the turn goes on without it. */
      const give = Effect.fnUntraced(function* (context: AttemptContext, place: Place) {
        const given = yield* Effect.result(place.give(context.request.resources))
        const lacking = given._tag === "Success" ? given.success : [{ path: "uploads", detail: given.failure.message }]
        for (const { detail, path } of lacking) yield* note(context)("file_unavailable", `${path}: ${detail}`)
      })

      /** What it begins with is kept at once: that is what all changes are seen against. */
      const begin = Effect.fnUntraced(function* (context: AttemptContext, place: Place, announce: Effect.Effect<void>) {
        const hasBegun = yield* Effect.mapError(place.unpack(context.request.resources), hinderedBy)
        // A full journal ends the attempt at its next word.
        if (hasBegun) yield* Effect.ignore(capture(context, place, announce, false))
        if (hasBegun) yield* ready(context, place)
      })

      /** Makes files of what the turn left among the outputs, before anybody is told that it has ended. */
      const collect = Effect.fnUntraced(function* (context: AttemptContext, place: Place) {
        const collected = yield* Effect.result(place.collect)
        if (collected._tag === "Failure") return yield* note(context)("outputs_failed", collected.failure.message)
        const { files, keep, leftOut } = collected.success
        for (const { bytes, path, sha256, stored: file_id } of files) {
          yield* note(context)("output_collected", path, { file_id, sha256, size_bytes: bytes })
        }
        for (const { detail, path } of leftOut) yield* note(context)("output_left_out", `${path}: ${detail}`)
        yield* Effect.catch(keep, ({ message }) => note(context)("outputs_failed", message))
      })

      const note =
        ({ frames }: AttemptContext) =>
        (code: string, message: string, details: JsonObject = {}) => {
          const event = { _tag: "PlatformNoted", code, message, details } as const
          return Effect.ignore(frames.emit({ _tag: "Noted", event }))
        }

      /** Of the session, or else of this host. */
      const secretFor = ({ scrubber, secret }: AttemptContext) =>
        Effect.fnUntraced(function* (name: string) {
          const given = yield* secret(name)
          if (given !== null) return given
          const kept = yield* Effect.try(options.hostSecrets).pipe(
            Effect.catch(({ cause }) =>
              Effect.as(Effect.logError("The secrets of this host (secrets.json) can't be read", cause), {})
            )
          )
          const found = new Map(Object.entries(kept)).get(name) ?? null
          if (found !== null) scrubber.add(found)
          return found
        })

      /** Nothing begins in a place that is not what its environment says. */
      const ready = Effect.fnUntraced(function* (context: AttemptContext, place: Place) {
        const onLine = yield* preparationNotes((said) => note(context)("environment_preparing", said))
        yield* Effect.mapError(place.ready({ secret: secretFor(context), onLine }), hinderedBy)
      }, Effect.scoped)

      /** What servers may ask while they work on a call. */
      const peopleOf = (context: AttemptContext) => {
        const { askPeople, frames, request, secret, spending } = context
        const { agent, overrides, sessionId } = request
        const choose = models.choose(overrides.model ?? agent.model.id, secret, request.prices)
        const sampler = modelSampler({
          spending,
          frames,
          choose,
          cacheKey: `${sessionId}:sampling`
        })
        return (within: EventId): McpPeople => ({
          askHuman: (asked) => {
            const question = elicited(asked)
            const { expiresInMs, server } = asked
            return Result.isFailure(question)
              ? Effect.as(
                  note(context)("mcp_question_refused", `What ${server} wanted to ask can't be: ${question.failure}`),
                  { action: "decline" } as const
                )
              : Effect.map(askPeople({ within, server, question: question.success, expiresInMs }), (answer) =>
                  elicitedAnswer(question.success, answer)
                )
          },
          sample: ({ params }) => sampler(params)
        })
      }

      /** What the agent's MCP servers offer. Without their secrets' newest values they are asked once more. */
      const ofServers = (context: AttemptContext, place: Place) => {
        const { frames, refreshSecret, request, scrubber, secret } = context
        return mcp.open({
          sessionId: request.sessionId,
          servers: request.agent.mcpServers,
          tools: request.overrides.tools ?? request.agent.tools,
          place: place.tools,
          secret,
          refresh: refreshSecret,
          people: peopleOf(context),
          noted: (event) => {
            const { code, details, message } = event
            // Errors of the surroundings, of which clients are told: the turn goes on without the server.
            const error = { code, message, details: { ...details, mcp_server_name: details["server"] ?? null } }
            return Effect.ignore(
              frames.emit(
                /^mcp_(?:connection|authentication)_failed$/.test(code)
                  ? { _tag: "Troubled", error, retryStatus: "retrying" }
                  : { _tag: "Noted", event }
              )
            )
          },
          scrub: (words) => scrubber.text(words)
        })
      }

      return AttemptToolsFactory.of({
        open: Effect.fn("AttemptTools.open")(function* (context) {
          const settled = Effect.tap(settle(context), (place) => begins(place, context.request))
          const place = yield* Effect.mapError(settled, placeless)
          const wasEmpty = place.isEmpty()
          const { request, scrubber } = context
          const announce = announcer(context, place)
          place.onMade(() => announce)
          yield* give(context, place)
          yield* ready(context, place)
          yield* begin(context, place, announce)
          const servers = yield* ofServers(context, place)
          const { problems, tools } = toolCatalog(request, {
            place: place.tools,
            fetch,
            search,
            summarizer: summarizerOf(context),
            planned: planTold(context.frames, request.threadId),
            others: servers.tools
          })
          for (const { at, code, detail } of [...problems, ...servers.problems]) {
            yield* note(context)(`tool_${code}`, `${at}: ${detail}`)
          }
          const calls = makeToolGateway({
            request,
            isGranted: context.isGranted,
            classifier: classifierOf(context),
            frames: context.frames,
            place: place.tools,
            tools,
            scrubber,
            mintCallId: mintEventId
          })
          return {
            calls,
            atEnd: (end) =>
              Effect.andThen(
                Effect.andThen(collect(context, place), capture(context, place, announce, wasEmpty)),
                Effect.flatMap(Clock.currentTimeMillis, (at) => Effect.ignore(place.rest({ ended: endedBy(end), at })))
              )
          }
        })
      })
    })
  )

type Placeless = { readonly message: string; readonly _tag?: string; readonly code?: string }

/** What its session wants and is not to be had here would be refused again. */
const lasting = new Set(["backend_unknown", "directory_refused", "resource_invalid"])

/** Why an attempt has no place to work in. Nothing begins without one. */
const placeless = (error: Placeless): AttemptHindered => {
  const code = error._tag === "JournalFull" ? "journal_full" : (error.code ?? "place_failed")
  return new AttemptHindered({ code, detail: error.message, retryable: !lasting.has(code) })
}
