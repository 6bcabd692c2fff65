/** SHA-256 of a text's UTF-8 bytes as lower-case hexadecimal. Servers pass `node:crypto`, browsers a synchronous one. */
export type Sha256 = (text: string) => string

/** The chain value before the first event of any stream. */
export const genesis = "0".repeat(64)

export interface ChainFields {
  readonly stream: string
  readonly streamId: string
  readonly workspaceId: string
  readonly seq: number
  readonly eventId: string
  readonly type: string
  readonly version: number
  /** The actor as its stored JSON text. */
  readonly actorText: string
  readonly causationId: string
  readonly correlationId: string
  readonly threadId: string | null
  readonly epoch: number
  readonly recordedAt: number
}

/** What an event promises about its payload: it can be redacted later and the promise still checked. */
export const commit = (sha256: Sha256, salt: string, payload: string): string => sha256(salt + payload)

const field = (value: string | number): string => {
  const text = String(value)
  return `${text.length}:${text}`
}

/** The chain value after an event: SHA-256 over a label, the value before, each field with its length, and the commitment. */
export const link = (sha256: Sha256, previous: string, fields: ChainFields, commitment: string): string =>
  sha256(
    "troupe.event.1" +
      previous +
      field(fields.stream) +
      field(fields.streamId) +
      field(fields.workspaceId) +
      field(fields.seq) +
      field(fields.eventId) +
      field(fields.type) +
      field(fields.version) +
      field(fields.actorText) +
      field(fields.causationId) +
      field(fields.correlationId) +
      field(fields.threadId ?? "") +
      field(fields.epoch) +
      field(fields.recordedAt) +
      commitment
  )
