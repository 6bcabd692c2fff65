/** What a check found, and what to do about it. */
export interface Finding {
  readonly check: string
  /** `warn`: it works, and not as well as it could. */
  readonly state: "ok" | "warn" | "bad"
  readonly found: string
  /** What to type or change; null where nothing need be done. */
  readonly advice: string | null
}

export const ok = (check: string, found: string): Finding => ({ check, state: "ok", found, advice: null })

export const warn = (check: string, found: string, advice: string): Finding => ({ check, state: "warn", found, advice })

export const bad = (check: string, found: string, advice: string): Finding => ({ check, state: "bad", found, advice })
