export { Troupe } from "./Troupe.ts"
export type { CallOptions, Logger, StreamConnection, StreamOptions, TroupeOptions } from "./options.ts"
export {
  AbortError,
  ApiError,
  AuthenticationError,
  BadRequestError,
  ConflictError,
  ConnectionError,
  InvalidAnswerError,
  NotFoundError,
  PermissionError,
  RateLimitError,
  RequestTooLargeError,
  ServerError,
  SessionEndedError,
  TimeoutError,
  TroupeError
} from "./errors.ts"
export type { Answer, Call } from "./http/Call.ts"
export type { Page, Pages } from "./http/Page.ts"
export type { FileUpload } from "./resources/Files.ts"
export type { WriteOptions } from "./resources/SessionFiles.ts"
export type { SessionHandle } from "./session/SessionHandle.ts"
export type { LiveTimeline, Timeline, TimelineAt } from "./session/timeline.ts"
export type { StatusEvent, UntilStatus } from "./session/until.ts"
export type { Changes, ChangeStreamOptions, PlacedChange } from "./stream/changeStream.ts"
export type { EventStream, Streaming } from "./stream/EventStream.ts"
export type { EventStreamOptions } from "./stream/liveEvents.ts"
export type { ExecOutput } from "./stream/execOutput.ts"
export type { FileChange } from "./stream/fileChanges.ts"
export type { Followed, LogStreamOptions } from "./stream/logStream.ts"
export type * from "./types/api.ts"
export type * from "./types/events.ts"
