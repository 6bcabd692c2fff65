import { type Changes, changeStream, type ChangeStreamOptions } from "../stream/changeStream.ts"
import { Resource } from "./Resource.ts"

/** What happens in more than one session. */
export class Feed extends Resource {
  /** What happens in the workspace: sessions, what people are asked, runners. From now on, or from behind a cursor. */
  changes(options?: ChangeStreamOptions): Changes {
    return changeStream(this.transport, options)
  }

  /** The logs of many sessions over one WebSocket, whose messages `docs/feed.md` lists. Browsers send their cookie. */
  open(): Promise<WebSocket> {
    return this.transport.connect("/v1/feed", {})
  }
}
