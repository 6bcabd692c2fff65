import { withShortIds } from "./shortIds.ts"

type Params = Readonly<Record<string, unknown>>

/** What a request is changed by where a server refuses it. Null where that would change nothing. */
interface Remedy {
  readonly name: string
  readonly isFor: (refusal: string) => boolean
  readonly apply: (params: Params) => Params | null
}

const without = (name: string): Remedy => ({
  name,
  isFor: (refusal) => refusal.includes(name),
  apply: (params) =>
    Object.hasOwn(params, name) ? Object.fromEntries(Object.entries(params).filter(([key]) => key !== name)) : null
})

/** What a request can go without. Some servers, and some models, refuse all of it for one field that they do not know. */
const remedies: ReadonlyArray<Remedy> = [
  without("stream_options"),
  without("reasoning_effort"),
  without("temperature"),
  without("service_tier"),
  { name: "ids", isFor: (refusal) => refusal.includes("with a length of 9"), apply: withShortIds }
]

const remediesFor = (cause: unknown): ReadonlyArray<Remedy> => {
  const { message = "", status } = cause as { readonly message?: string; readonly status?: number }
  return status === 400 || status === 422 ? remedies.filter(({ isFor }) => isFor(message)) : []
}

export interface Dispensing {
  /** Asks, and again without what was refused. From then on that is left out for this model. */
  readonly ask: <P extends { readonly model?: unknown }, A>(params: P, by: (params: P) => Promise<A>) => Promise<A>
  /** The request as it is sent, by what is known of its model. */
  readonly shaped: <P extends { readonly model?: unknown }>(params: P) => P
  /** Whether a model is known to refuse a field. */
  readonly refuses: (model: string, field: string) => boolean
}

export const dispensing = (): Dispensing => {
  const known = new Map<string, ReadonlyArray<Remedy>>()
  const shaped: Dispensing["shaped"] = (params) => {
    const applied = known.get(String(params.model)) ?? []
    return applied.reduce<Params>((rest, { apply }) => apply(rest) ?? rest, params as Params) as typeof params
  }
  const ask: Dispensing["ask"] = async (params, by) => {
    const model = String(params.model)
    const sent = shaped(params)
    try {
      return await by(sent)
    } catch (cause) {
      const more = remediesFor(cause).filter(({ apply }) => apply(sent as Params) !== null)
      if (more.length === 0) throw cause
      known.set(model, [...(known.get(model) ?? []), ...more])
      return await ask(params, by)
    }
  }
  return {
    ask,
    shaped,
    refuses: (model, field) => known.get(model)?.some(({ name }) => name === field) === true
  }
}
