/** Bounds that are part of the contract; an installation may lower or raise those it configures. */
export const Limits = {
  /** Turns a thread's queue holds before `QueueFull`. */
  queuedTurnsMax: 1_000,
  /** Threads of a session that are not archived. */
  openThreadsMax: 25,
  /** Resources that a session has at a time. */
  resourcesMax: 500,
  /** Inputs one `Send` may carry. */
  inputsPerCommandMax: 50,
  /** Events that one request takes the content out of. */
  redactedAtOnceMax: 1_000,
  /** Bytes of one command after spilling large blocks. */
  commandBytesMax: 1_048_576,
  /** Bytes of one content block before it is spilled to a blob. */
  blockBytesMax: 65_536,
  /** Commands the actor decides and appends together. */
  commandsPerAppendMax: 64,
  /** Commands that may wait in one actor's mailbox before `Overloaded`. */
  mailboxMax: 4_096,
  /** Attempts of one turn before it fails. */
  attemptsPerTurnMax: 3,
  /** How long an unconfirmed interrupt waits for its runner. */
  interruptConfirmMs: 10_000,
  /** How long a runner may work without hearing from a node, and the margin the server adds to it. */
  contactLeaseMs: 60_000,
  contactMarginMs: 15_000
} as const
