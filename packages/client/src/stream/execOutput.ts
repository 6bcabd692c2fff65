import { AbortError, ConnectionError, TroupeError } from "../errors.ts"
import { path } from "../http/url.ts"
import type { Transport } from "../http/Transport.ts"
import type { StreamOptions } from "../options.ts"
import type { Exec, ExecEnding } from "../types/api.ts"
import { connect } from "./connect.ts"

export type ExecOutput =
  | { readonly type: "stdout" | "stderr"; readonly data: Uint8Array }
  | { readonly type: "ended"; readonly ending: ExecEnding }

const bytesOf = (base64: string): Uint8Array => Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))

const isOutput = (type: string): type is "stdout" | "stderr" => type === "stdout" || type === "stderr"

/** What a program prints, as it does. It is started once: when the connection breaks, what became of it is not known. */
export async function* execOutput(
  transport: Transport,
  sessionId: string,
  body: Exec,
  options: StreamOptions = {}
): AsyncGenerator<ExecOutput, void, undefined> {
  const controller = new AbortController()
  const signal = options.signal === undefined ? controller.signal : AbortSignal.any([options.signal, controller.signal])
  const at = { method: "POST", path: path`/v1/sessions/${sessionId}/exec/stream`, body } as const
  try {
    const { received } = await connect(transport, at, { ...options, maxRetries: 0 }, signal, true)
    for await (const { event, value } of received()) {
      if (isOutput(event)) yield { type: event, data: bytesOf(String(value["data"])) }
      else if (event === "ended") return yield { type: "ended", ending: value as unknown as ExecEnding }
      else if (event === "error") throw new TroupeError(String(value["message"]))
    }
    if (options.signal?.aborted === true) throw new AbortError("The call was aborted", { cause: options.signal.reason })
    throw new ConnectionError("The connection broke before the program's end was known")
  } finally {
    controller.abort()
  }
}
