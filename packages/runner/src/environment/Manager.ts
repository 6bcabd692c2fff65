import type { Offers } from "./offers.ts"

/** Directories as processes of the preparation's sandbox call them. */
export interface Inside {
  /** Of this manager alone; what is in it stays. */
  readonly target: string
  /** For what is needed while it works. */
  readonly work: string
}

export interface ManagerSteps {
  readonly program: string
  readonly commands: ReadonlyArray<readonly [string, ...ReadonlyArray<string>]>
  readonly variables: Readonly<Record<string, string>>
}

export interface Manager {
  readonly steps: (packages: ReadonlyArray<string>, inside: Inside) => ManagerSteps
  readonly offers: (target: string) => Offers
}
