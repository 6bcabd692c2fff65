/** What a request can go without. Some servers, and some models, refuse all of it for one field that they do not know. */
const fields = ["stream_options", "reasoning_effort", "temperature"] as const

const refusedIn = (cause: unknown): ReadonlyArray<string> => {
  const { message = "", status } = cause as { readonly message?: string; readonly status?: number }
  return status === 400 || status === 422 ? fields.filter((name) => message.includes(name)) : []
}

/** Asks, and again without what was refused by its name. From then on that is left out for this model. */
export const dispensing = () => {
  const known = new Map<string, Set<string>>()
  return async <Params extends { readonly model?: unknown }, A>(
    params: Params,
    ask: (params: Params) => Promise<A>
  ): Promise<A> => {
    const model = String(params.model)
    const refused = known.get(model) ?? new Set()
    const isAsked = (name: string) => Object.hasOwn(params, name) && !refused.has(name)
    const attempt = async (): Promise<A> => {
      const kept = Object.entries(params).filter(([name]) => !refused.has(name))
      try {
        return await ask(Object.fromEntries(kept) as Params)
      } catch (cause) {
        const more = refusedIn(cause).filter(isAsked)
        if (more.length === 0) throw cause
        for (const name of more) refused.add(name)
        known.set(model, refused)
        return await attempt()
      }
    }
    return await attempt()
  }
}
