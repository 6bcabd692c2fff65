import type { TerminalQuery } from "@troupe/client"

export interface Ending {
  readonly type: string
  readonly exit_code: number | null
  readonly message: string | null
}

/** How a terminal ended, in a sentence. */
export const endingText = ({ exit_code, message, type }: Ending): string => {
  switch (type) {
    case "exited":
      return exit_code === 0 || exit_code === null ? "The shell ended." : `The shell ended with code ${exit_code}.`
    case "signalled":
      return `The shell was ended by ${message ?? "a signal"}.`
    case "out_of_memory":
      return "The sandbox had no more memory for it."
    case "out_of_disk":
      return "The sandbox had no more room on its disk."
    default:
      return message === null ? "It was closed." : `It was ended: ${message}.`
  }
}

export interface Size {
  readonly columns: number
  readonly rows: number
}

/** Which terminal: a new one, or one that is come back to, from the byte on that is not on the screen yet. */
export const placeOf = (terminalId: string | null, after: number, size: Size): TerminalQuery =>
  terminalId === null ? size : { terminal_id: terminalId, after, ...size }

const pausesMs = [250, 500, 1_000, 2_000, 5_000]

/** How long is waited before a terminal is dialled again that could not be reached so often before. */
export const pauseAfter = (failures: number): number => pausesMs[Math.min(failures, pausesMs.length - 1)]!

/** What a server says of a terminal, beside its output. */
export type Told =
  | { readonly type: "opened"; readonly terminal_id: string }
  | { readonly type: "at"; readonly offset: number }
  | { readonly type: "ended"; readonly ending: Ending }

const frameMax = 16_384

/** Keys and pasted text, in pieces that a server takes. */
export function* piecesOf(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += frameMax) yield bytes.subarray(at, at + frameMax)
}

/** The ids of terminals, as the address of a page has them. */
export const idsOf = (text: string | undefined): ReadonlyArray<string> =>
  (text ?? "").split(".").filter((id) => /^[A-Za-z0-9_-]{1,128}$/.test(id))

export const textOfIds = (ids: ReadonlyArray<string>): string | undefined =>
  ids.length === 0 ? undefined : ids.join(".")

export interface Pane {
  /** Stays the same from before the server has named the terminal. */
  readonly key: string
  readonly id: string | null
}

/** Which pane is looked at once one is closed: the one that takes its place, or the last. */
export const nextTo = (panes: ReadonlyArray<Pane>, key: string): string | null => {
  const at = panes.findIndex((pane) => pane.key === key)
  const rest = panes.filter((pane) => pane.key !== key)
  return rest[Math.min(Math.max(at, 0), rest.length - 1)]?.key ?? null
}
