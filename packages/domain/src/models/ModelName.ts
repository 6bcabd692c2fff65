import { Result, Schema } from "effect"

/** A model by the provider that serves it and by the name that this provider knows. */
export interface ModelName {
  readonly provider: string
  readonly model: string
}

export class ModelUnroutable extends Schema.TaggedError<ModelUnroutable>()("ModelUnroutable", {
  model: Schema.String,
  providers: Schema.Array(Schema.String)
}) {
  override get message() {
    const maker = makerOf(this.model)
    if (maker !== null && !this.providers.includes(maker.provider)) {
      return `The model ${this.model} needs a key of ${maker.provider}: set ${maker.variable} where the runner starts`
    }
    const known = this.providers.join(", ")
    return `No provider is known for the model ${this.model}: write PROVIDER/${this.model} with one of ${known}`
  }
}

/** Names whose maker is known by how they begin. */
const families = [
  { pattern: /^claude-/, provider: "anthropic", variable: "ANTHROPIC_API_KEY" },
  { pattern: /^(gpt-|chatgpt-|o\d)/, provider: "openai", variable: "OPENAI_API_KEY" }
] as const

/** Whose model it is, by how its name begins, or by the maker that stands before it. */
const makerOf = (name: string) =>
  families.find(({ pattern, provider }) => pattern.test(name) || name.startsWith(`${provider}/`)) ?? null

/**
 * Where a model's name leads: a prefix that names a provider decides, else its family does, else the one provider that
 * takes any name. `demo` is a provider and its only model.
 */
export const route = (
  name: string,
  providers: ReadonlyArray<string>,
  fallback: string | null = null
): Result.Result<ModelName, ModelUnroutable> => {
  if (name === "demo") return Result.succeed({ provider: "demo", model: "demo" })
  const slash = name.indexOf("/")
  const prefix = slash > 0 ? name.slice(0, slash) : null
  if (prefix !== null && providers.includes(prefix) && slash < name.length - 1) {
    return Result.succeed({ provider: prefix, model: name.slice(slash + 1) })
  }
  const family = families.find(({ pattern }) => pattern.test(name))?.provider
  if (family !== undefined && providers.includes(family)) return Result.succeed({ provider: family, model: name })
  if (fallback !== null && name !== "") return Result.succeed({ provider: fallback, model: name })
  return Result.fail(new ModelUnroutable({ model: name, providers }))
}
