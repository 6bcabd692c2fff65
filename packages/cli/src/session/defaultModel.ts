/** In this order, where nobody says which: what can do an agent's work, of what there is. */
const preferred = [/claude-sonnet/, /claude-opus/, /claude/, /gpt-5(?!.*(?:mini|nano))/, /gpt/]

/** The model to use where neither the command nor the workspace names one. */
export const defaultModel = (models: ReadonlyArray<string>): string => {
  const real = models.filter((model) => model !== "demo" && !model.endsWith("/demo"))
  for (const pattern of preferred) {
    const found = real.find((model) => pattern.test(model))
    if (found !== undefined) return found
  }
  return real[0] ?? "demo"
}
