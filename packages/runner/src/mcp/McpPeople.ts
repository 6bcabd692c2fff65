import type { Client, CreateMessageResult } from "@modelcontextprotocol/client"
import type { JsonObject } from "@troupe/domain/Json"
import { Deferred, Effect } from "effect"
import type { Patience } from "./Patience.ts"

/** What a server wants to know of a person while it works on a call. */
export interface McpQuestion {
  readonly server: string
  readonly message: string
  /** The form to fill in, as JSON Schema; null where the person is to open `url` instead. */
  readonly schema: JsonObject | null
  readonly url: string | null
  /** How long an answer is waited for. */
  readonly expiresInMs: number
}

export type McpAnswer =
  | { readonly action: "accept"; readonly content?: JsonObject }
  | { readonly action: "decline" | "cancel" }

/** Text that a server wants from the session's model: the parameters of `sampling/createMessage`. */
export interface McpSampling {
  readonly server: string
  readonly params: JsonObject
}

/** Whom the servers of a session may turn to while a call runs. Null where there is nobody. */
export interface McpPeople {
  readonly askHuman: ((question: McpQuestion) => Effect.Effect<McpAnswer>) | null
  /** Answers what `sampling/createMessage` results in, or null where it is refused. */
  readonly sample: ((sampling: McpSampling) => Effect.Effect<JsonObject | null>) | null
}

export const nobody: McpPeople = { askHuman: null, sample: null }

interface OpenCall {
  readonly people: McpPeople
  readonly patience: Patience
}

/** A call as it is kept: what it had asked is over when it is. */
interface Kept extends OpenCall {
  readonly over: Deferred.Deferred<void>
}

/** The calls that a server works on. A question of the server belongs to the newest one that has somebody to answer it. */
export class OpenCalls {
  private readonly calls = new Set<Kept>()

  readonly during = <A, E, R>(call: OpenCall, work: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.acquireUseRelease(
      Effect.sync(() => {
        const kept: Kept = { ...call, over: Deferred.makeUnsafe() }
        this.calls.add(kept)
        return kept
      }),
      () => work,
      (kept) =>
        Effect.sync(() => {
          this.calls.delete(kept)
          Deferred.doneUnsafe(kept.over, Effect.void)
        })
    )

  private newest(kind: keyof McpPeople): Kept | undefined {
    return [...this.calls].findLast(({ people }) => people[kind] !== null)
  }

  ask(question: McpQuestion): Effect.Effect<McpAnswer> {
    const call = this.newest("askHuman")
    if (call?.people.askHuman == null) return Effect.succeed({ action: "decline" })
    const over = Effect.as(Deferred.await(call.over), { action: "cancel" } as const)
    return Effect.raceFirst(call.patience.holding(call.people.askHuman(question)), over)
  }

  sample(sampling: McpSampling): Effect.Effect<JsonObject | null> {
    const call = this.newest("sample")
    if (call?.people.sample == null) return Effect.succeed(null)
    const over = Effect.as(Deferred.await(call.over), null)
    return Effect.raceFirst(call.patience.holding(call.people.sample(sampling)), over)
  }
}

/** What a client says it can do for its server. Of roots there are none. */
export const capabilities = (sampling: boolean) => ({
  elicitation: { form: { applyDefaults: true }, url: {} },
  ...(sampling ? { sampling: {} } : {})
})

export interface Answering {
  readonly server: string
  readonly sampling: boolean
  readonly answerMs: number
  readonly calls: OpenCalls
  readonly run: <A>(effect: Effect.Effect<A>, options: { readonly signal: AbortSignal }) => Promise<A>
}

/** Has the client answer what its server asks. */
export const answerQuestions = (client: Client, { answerMs, calls, run, sampling, server }: Answering): void => {
  client.setRequestHandler("elicitation/create", async ({ params }, { mcpReq }) => {
    const { message } = params
    const question: McpQuestion =
      params.mode === "url"
        ? { server, message, schema: null, url: params.url, expiresInMs: answerMs }
        : { server, message, schema: params.requestedSchema as JsonObject, url: null, expiresInMs: answerMs }
    const answer = await run(calls.ask(question), { signal: mcpReq.signal })
    return answer.action === "accept"
      ? { action: "accept", content: (answer.content ?? {}) as Record<string, string> }
      : { action: answer.action }
  })
  if (!sampling) return
  client.setRequestHandler("sampling/createMessage", async ({ params }, { mcpReq }) => {
    const given = JSON.parse(JSON.stringify(params)) as JsonObject
    const result = await run(calls.sample({ server, params: given }), { signal: mcpReq.signal })
    if (result === null) throw new Error("Sampling is refused.")
    return result as unknown as CreateMessageResult
  })
}
