/** Something that everybody sets for their own browser. Said once: the settings panel and the palette both read it. */
export interface Setting {
  readonly id: string
  readonly title: string
  /** Words that find it, beside its title. */
  readonly words?: string
  readonly options: ReadonlyArray<{ readonly value: string; readonly title: string }>
  /** A hook that tells which of them holds. */
  readonly useValue: () => string
  readonly set: (value: string) => void
}

interface Way {
  readonly id: string
  readonly title: string
  readonly section: string
  readonly words: string
  readonly run: () => void
}

/** What the palette finds of them: each way that each of them can be. */
export const settingActions = (all: ReadonlyArray<Setting>): ReadonlyArray<Way> =>
  all.flatMap(({ id, options, set, title, words = "" }) =>
    options.map((option) => ({
      id: `${id}-${option.value}`,
      title: `${title}: ${option.title.toLowerCase()}`,
      section: "Settings",
      words,
      run: () => set(option.value)
    }))
  )
