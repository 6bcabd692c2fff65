import type { Model, TurnOverrides } from "@troupe/client"

/** What a message asks of its turn; null where the agent says it. */
export interface Choice {
  readonly model: string | null
  readonly effort: string | null
}

export const asTheAgent: Choice = { model: null, effort: null }

export const efforts = [
  { id: "", title: "Usual effort" },
  { id: "low", title: "Low effort" },
  { id: "medium", title: "Medium effort" },
  { id: "high", title: "High effort" },
  { id: "xhigh", title: "Very high effort" },
  { id: "max", title: "All effort" }
] as const

/** The models there are, each once, and the one that is chosen even where it is not there any more. */
export const choicesOf = (models: ReadonlyArray<Pick<Model, "id">>, chosen: string | null): ReadonlyArray<string> => [
  ...new Set([...models.map(({ id }) => id), ...(chosen === null ? [] : [chosen])])
]

/** As a message carries it; nothing, where it is all as the agent has it. */
export const extrasOf = ({ effort, model }: Choice): { readonly troupe?: { readonly overrides: TurnOverrides } } =>
  model === null && effort === null
    ? {}
    : { troupe: { overrides: { ...(model === null ? {} : { model }), ...(effort === null ? {} : { effort }) } } }

/** A choice in a few words, for what waits with it. */
export const choiceText = ({ effort, model }: { readonly model?: string; readonly effort?: string }): string =>
  [model, effort === undefined ? undefined : efforts.find(({ id }) => id === effort)?.title.toLowerCase()]
    .filter((part) => part !== undefined)
    .map((part) => ` · ${part}`)
    .join("")
