export interface Rule {
  readonly file: string
  readonly title: string
}

interface Counts {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

export function rulesOf(page: string): ReadonlyArray<Rule>
export function conformanceOf(page: string, files: Readonly<Record<string, Counts>>): string
