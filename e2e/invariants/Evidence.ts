import type { Recorded } from "@troupe/domain/log/Envelope"
import type { SummaryRow } from "@troupe/domain/session/Summary"

/** What a client did and was told. Unknown: it got no answer, or one that says to try again. */
export interface ClientCall {
  readonly sessionId: string
  readonly commandId: string
  readonly digest: string
  readonly answer:
    | { readonly _tag: "Accepted"; readonly seq: number }
    | { readonly _tag: "Rejected"; readonly reason: string }
    | { readonly _tag: "Reused" }
    | { readonly _tag: "Unknown" }
}

/** What a runner really did, as its own notes say. */
export interface RunnerNote {
  readonly sessionId: string
  readonly attemptId: string
  readonly epoch: number
  /** Milliseconds since 1970. */
  readonly at: number
  readonly note:
    | { readonly _tag: "RunCalled" }
    /** A model request left for its provider. */
    | { readonly _tag: "Request"; readonly requestId: string }
    /** A tool had its effect: once per execution. */
    | { readonly _tag: "Effect"; readonly callId: string; readonly readOnly: boolean }
}

/** Something that a tool did outside of the system, as the outside counted it. */
export interface RealEffect {
  /** Stands in the arguments of the call that asked for it, and of no other. */
  readonly token: string
  /** Milliseconds since 1970. */
  readonly at: number
}

/** What one reader received: a transcript of positions, over however many connections. */
export interface Transcript {
  readonly sessionId: string
  /** The cursor it began from. */
  readonly after: number
  readonly seen: ReadonlyArray<{ readonly seq: number; readonly eventId: string }>
  /** Text on its way that it was shown, and the seq that it had got to before. */
  readonly deltas?: ReadonlyArray<{
    readonly blockId: string
    readonly offset: number
    readonly text: string
    readonly after: number
  }>
}

/** What a reader over all sessions received, in order. */
export interface FeedTranscript {
  readonly seen: ReadonlyArray<{ readonly streamId: string; readonly seq: number }>
}

/** What tables that are filled from all logs say of a session. */
export interface ReadTables {
  readonly usage: {
    readonly modelRequests: number
    readonly inputTokens: number
    readonly outputTokens: number
    readonly costMicroUsd: number
    readonly toolCalls: number
  }
  /** Calls that people are asked about. */
  readonly inbox: ReadonlyArray<string>
  /** Turns that can't go on yet, each with what it waits for. */
  readonly waiting: ReadonlyArray<string>
}

export interface StoredSession {
  readonly sessionId: string
  readonly events: ReadonlyArray<Recorded & { readonly commandId: string | null }>
  readonly head: { readonly version: number; readonly epoch: number; readonly chain: string }
  /** Epochs as they were taken, and the version at that time, where somebody wrote that down. */
  readonly claims?: ReadonlyArray<{ readonly epoch: number; readonly version: number }> | undefined
  readonly rejected: ReadonlyArray<string>
  readonly snapshot: { readonly version: number; readonly foldVersion: number; readonly state: string } | null
  readonly summary: SummaryRow | null
  readonly tables?: ReadTables
}

/** Everything a run leaves behind for its judge. */
export interface Evidence {
  readonly sessions: ReadonlyArray<StoredSession>
  readonly calls: ReadonlyArray<ClientCall>
  readonly notes: ReadonlyArray<RunnerNote>
  readonly effects?: ReadonlyArray<RealEffect>
  readonly transcripts: ReadonlyArray<Transcript>
  readonly feeds: ReadonlyArray<FeedTranscript>
  /** All faults are over and time has passed: every session must have come to rest. */
  readonly settled: boolean
  /** Texts that must be nowhere in the log. */
  readonly secrets: ReadonlyArray<string>
}

export interface Violation {
  readonly invariant: string
  readonly sessionId: string
  readonly detail: string
}
