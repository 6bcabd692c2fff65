import type { Transport } from "../http/Transport.ts"
import type { StreamOptions } from "../options.ts"
import type { WorkspaceChange } from "../types/events.ts"
import { connect } from "./connect.ts"
import { stream, type Streaming } from "./EventStream.ts"

export interface ChangeStreamOptions extends StreamOptions {
  /** The cursor of an item that was seen before: what came after it is told first. */
  readonly after?: string | undefined
}

/** Something that changed, and behind which cursor the stream goes on. */
export type PlacedChange = WorkspaceChange & { readonly cursor: string }
export type Changes = Streaming<PlacedChange>

/** What happens in a workspace, taken up again behind what was seen. After `reset`, lists say where everything stands. */
export const changeStream = (transport: Transport, options: ChangeStreamOptions = {}): Changes => {
  let after = options.after
  return stream<PlacedChange>({
    transport,
    options,
    connect: async (signal, isFirst) => {
      const asked = { path: "/v1/log/stream", query: { after } }
      const { received, response } = await connect(transport, asked, options, signal, isFirst)
      const items = async function* (): AsyncGenerator<PlacedChange, void, undefined> {
        for await (const { id, value } of received()) {
          after = id
          yield { ...(value as unknown as WorkspaceChange), cursor: id }
        }
      }
      return { items: items(), isOver: () => false, response }
    }
  })
}
