import { assert, beforeAll, describe, it } from "@effect/vitest"
import * as Codec from "@troupe/domain/session/Codec"
import { fold } from "@troupe/domain/session/evolve"
import { Result } from "effect"
import { judge } from "../../../../e2e/invariants/judge.ts"
import type {
  ClientCall,
  Evidence,
  ReadTables,
  RunnerNote,
  StoredSession,
  Transcript
} from "../../../../e2e/invariants/Evidence.ts"
import { noUsage, waitingIn } from "../../../../e2e/invariants/tables.ts"
import { run, verdict } from "./simulation/run.ts"
import { drawStory } from "./simulation/Story.ts"

type Event = StoredSession["events"][number]
type Spoil = (evidence: Evidence) => Evidence | null

/** Changes the first session in which there is something to change; null where there is none. */
const inSession =
  (change: (session: StoredSession) => StoredSession | null): Spoil =>
  (evidence) => {
    for (const [index, session] of evidence.sessions.entries()) {
      const changed = change(session)
      if (changed !== null) return { ...evidence, sessions: evidence.sessions.with(index, changed) }
    }
    return null
  }

const inLog = (change: (events: ReadonlyArray<Event>) => ReadonlyArray<Event> | null) =>
  inSession((session) => {
    const events = change(session.events)
    return events === null ? null : { ...session, events }
  })

/** Changes the first event that fits. */
const onEvent = (fits: (event: Event) => boolean, change: (event: Event) => ReadonlyArray<Event>) =>
  inLog((events) => {
    const index = events.findIndex(fits)
    return index < 0 ? null : events.toSpliced(index, 1, ...change(events[index]!))
  })

const isA = (type: string) => (event: Event) => event.type === type
const twice = (type: string) => onEvent(isA(type), (event) => [event, event])
const without = (type: string) => onEvent(isA(type), () => [])

const say = (event: Event, changes: object): Event => ({
  ...event,
  payload: JSON.stringify({ ...(JSON.parse(event.payload!) as object), ...changes })
})

const onCalls =
  (tag: ClientCall["answer"]["_tag"], change: (call: ClientCall) => ReadonlyArray<ClientCall>): Spoil =>
  (evidence) => {
    const index = evidence.calls.findIndex(({ answer }) => answer._tag === tag)
    return index < 0
      ? null
      : { ...evidence, calls: evidence.calls.toSpliced(index, 1, ...change(evidence.calls[index]!)) }
  }

const onNotes =
  (tag: RunnerNote["note"]["_tag"], change: (note: RunnerNote) => ReadonlyArray<RunnerNote>): Spoil =>
  (evidence) => {
    const index = evidence.notes.findIndex(({ note }) => note._tag === tag)
    return index < 0
      ? null
      : { ...evidence, notes: evidence.notes.toSpliced(index, 1, ...change(evidence.notes[index]!)) }
  }

const onTranscript =
  (change: (seen: Transcript["seen"]) => Transcript["seen"]): Spoil =>
  (evidence) => {
    const index = evidence.transcripts.findIndex(({ seen }) => seen.length > 2)
    if (index < 0) return null
    const one = evidence.transcripts[index]!
    return { ...evidence, transcripts: evidence.transcripts.with(index, { ...one, seen: change(one.seen) }) }
  }

const onFeed =
  (change: (seen: Evidence["feeds"][number]["seen"]) => Evidence["feeds"][number]["seen"]): Spoil =>
  (evidence) =>
    evidence.feeds[0]!.seen.length < 3 ? null : { ...evidence, feeds: [{ seen: change(evidence.feeds[0]!.seen) }] }

/** What read tables would say of a session that used nothing and asks nobody, and how they are wrong. */
const onTables = (change: (tables: ReadTables) => ReadTables) =>
  inSession((session) => {
    const used = session.events.some(({ type }) => type === "ModelRequestEnded" || type === "ToolStarted")
    const waiting = waitingIn(fold(session.events.map((event) => Result.getOrThrow(Codec.decodeStrict(event)))))
    return used ? null : { ...session, tables: change({ usage: noUsage, inbox: [], waiting }) }
  })

const nobody = "cmd_01Nobody"

/** Each breaks one promise in what a run left behind that kept all of them. */
const broken: ReadonlyArray<readonly [what: string, invariant: string, says: RegExp, spoil: Spoil]> = [
  [
    "an accepted command that the log lost",
    "INV-1",
    /was accepted and is not in the log/,
    onCalls("Accepted", (call) => [{ ...call, commandId: nobody }])
  ],
  ["a message that was received and lost", "INV-1", /was received and is nowhere/, without("MessageTaken")],
  ["a message that was taken up twice", "INV-1", /was taken up 2 times/, twice("MessageTaken")],
  [
    "a command that is in the log twice",
    "INV-2",
    /is in the log 2 times/,
    onEvent(
      (event) => event.commandId !== null,
      (event) => [event, event]
    )
  ],
  [
    "a retry that got another answer",
    "INV-2",
    /was answered \d+, the log says/,
    onCalls("Accepted", (call) => [call, { ...call, answer: { _tag: "Accepted", seq: 999_999 } }])
  ],
  [
    "a retry that was refused",
    "INV-2",
    /got two different answers/,
    onCalls("Accepted", (call) => [call, { ...call, answer: { _tag: "Rejected", reason: "No" } }])
  ],
  [
    "one id with two bodies",
    "INV-2",
    /was accepted with 2 bodies/,
    onCalls("Accepted", (call) => [call, { ...call, digest: "other" }])
  ],
  ["a message that was received twice", "INV-2", /was received twice/, twice("MessageReceived")],
  [
    "an event that is missing",
    "INV-3",
    /^event \d+ has seq \d+/,
    inLog((events) => (events.length < 3 ? null : events.toSpliced(1, 1)))
  ],
  [
    "a log that ends before its head",
    "INV-3",
    /^the head says/,
    inLog((events) => (events.length < 3 ? null : events.slice(0, -1)))
  ],
  [
    "two commands that are mixed",
    "INV-3",
    /is split at/,
    inLog((events) => {
      const index = events.findIndex((event, at) => at > 1 && event.causationId === events[at - 1]!.causationId)
      return index < 0 ? null : events.with(index - 1, { ...events[index - 1]!, causationId: nobody as never })
    })
  ],
  [
    "a rejected command that did something",
    "INV-4",
    /was rejected and is in the log/,
    (evidence) => {
      const caused = evidence.sessions[0]?.events[0]?.causationId
      return caused === undefined
        ? null
        : {
            ...evidence,
            calls: [
              {
                sessionId: evidence.sessions[0]!.sessionId,
                commandId: caused,
                digest: "",
                answer: { _tag: "Rejected", reason: "No" }
              }
            ]
          }
    }
  ],
  [
    "an earlier epoch that wrote again",
    "INV-5",
    /^epoch \d+ at \d+ after/,
    inLog((events) => (events.length < 3 ? null : events.with(1, { ...events[1]!, epoch: 99 })))
  ],
  [
    "a frame that is left out",
    "INV-5",
    /^frame \d+ of \S+ comes after/,
    onEvent(
      (event) => /"frame":2\b/.test(event.payload ?? ""),
      () => []
    )
  ],
  ["a call that started twice", "INV-6", /started 2 times/, twice("ToolStarted")],
  [
    "a call that never ended",
    "INV-6",
    /started and never ended/,
    inLog((events) => (events.some(isA("ToolStarted")) ? events.filter(({ type }) => type !== "ToolFinished") : null))
  ],
  ["a call that had its effect twice", "INV-6", /had its effect twice/, onNotes("Effect", (note) => [note, note])],
  ["a sub-agent that started twice", "INV-6", /sub-agent \S+ started twice/, twice("SubagentStarted")],
  ["a sub-agent that ended twice", "INV-6", /sub-agent \S+ ended and did not work/, twice("SubagentEnded")],
  ["a sub-agent that never ended", "INV-6", /sub-agent \S+ outlived its attempt/, without("SubagentEnded")],
  ["an attempt that started twice", "INV-6", /attempt \S+ started twice/, twice("AttemptStarted")],
  [
    "an attempt that goes on beside the next",
    "INV-6",
    /still worked when/,
    (evidence) => {
      for (const { events, sessionId } of evidence.sessions) {
        const starts = events
          .filter(isA("AttemptStarted"))
          .map(({ payload }) => JSON.parse(payload!) as { attemptId: string; turnId: string })
        const later = starts.find((one, at) => starts.slice(0, at).some((before) => before.turnId === one.turnId))
        const first = starts.find((one) => one.turnId === later?.turnId)
        const ran = evidence.notes.find(
          ({ attemptId, note }) => attemptId === later?.attemptId && note._tag === "RunCalled"
        )
        if (first === undefined || ran === undefined) continue
        const late: RunnerNote = {
          ...ran,
          sessionId,
          attemptId: first.attemptId,
          at: ran.at + 1,
          note: { _tag: "Request", requestId: "r" }
        }
        return { ...evidence, notes: [...evidence.notes, late] }
      }
      return null
    }
  ],
  [
    "a reader that missed an event",
    "INV-7",
    /^a reader got \d+ where \d+ was next/,
    onTranscript((seen) => seen.toSpliced(1, 1))
  ],
  [
    "a reader that got one twice",
    "INV-7",
    /^a reader got \d+ where \d+ was next/,
    onTranscript((seen) => [seen[0]!, ...seen])
  ],
  [
    "a reader that saw what was never committed",
    "INV-7",
    /which is not committed/,
    onTranscript((seen) => seen.with(1, { ...seen[1]!, eventId: "sevt_none" }))
  ],
  ["a feed that skipped an event", "INV-7", /^the feed went from/, onFeed((seen) => seen.toSpliced(1, 1))],
  ["a feed that ended early", "INV-7", /^the feed has \d+ of/, onFeed((seen) => seen.slice(0, -1))],
  [
    "an event that nobody can read",
    "INV-8",
    /can't be read/,
    onEvent(isA("MessageTaken"), (event) => [say(event, { content: 1 })])
  ],
  [
    "a snapshot of something else",
    "INV-8",
    /^the snapshot at \d+ leads elsewhere/,
    inSession((session) =>
      session.snapshot === null
        ? null
        : {
            ...session,
            snapshot: { ...session.snapshot, state: session.snapshot.state.replace(/"turns":\d+/, `"turns":99`) }
          }
    )
  ],
  [
    "a session that no list has",
    "INV-8",
    /^there is no list row/,
    inSession((session) => ({ ...session, summary: null }))
  ],
  [
    "a list that says something else",
    "INV-8",
    /^the list row says/,
    inSession((session) =>
      session.summary === null ? null : { ...session, summary: { ...session.summary, tokens: 1_000_000 } }
    )
  ],
  [
    "a table that counts a request twice",
    "INV-8",
    /^the table of usage says \d+ of modelRequests/,
    onTables((tables) => ({ ...tables, usage: { ...tables.usage, modelRequests: tables.usage.modelRequests + 1 } }))
  ],
  [
    "an inbox that asks what nobody asks",
    "INV-8",
    /^the inbox holds/,
    onTables((tables) => ({ ...tables, inbox: [...tables.inbox, "sevt_none"] }))
  ],
  [
    "a queue with a turn that does not wait",
    "INV-8",
    /^the queues hold/,
    onTables((tables) => ({ ...tables, waiting: [...tables.waiting, "turn_none runner"] }))
  ],
  [
    "a status that is not what it should be",
    "INV-9",
    /was recorded .*, and is/,
    inLog((events) => {
      const last = events.findLastIndex(isA("StatusChanged"))
      return last < 0 ? null : events.toSpliced(last, 1)
    })
  ],
  [
    "a session that never comes to rest",
    "INV-9",
    /is still running|still wants to be woken/,
    inLog((events) => {
      const started = events.findLastIndex(isA("AttemptStarted"))
      return started < 0 ? null : events.slice(0, started + 1)
    })
  ],
  [
    "content that was changed",
    "INV-10",
    /is not what was committed to/,
    onEvent(
      (event) => event.salt !== null,
      (event) => [{ ...event, payload: `${event.payload} ` }]
    )
  ],
  [
    "an envelope that was changed",
    "INV-10",
    /the chain breaks at/,
    onEvent(
      () => true,
      (event) => [{ ...event, recordedAt: event.recordedAt - 1 }]
    )
  ],
  [
    "a head of another log",
    "INV-10",
    /^the head's chain is another/,
    inSession((session) => ({ ...session, head: { ...session.head, chain: "0".repeat(64) } }))
  ],
  ["a request without a usage record", "INV-12", /has 0 usage records/, without("ModelRequestEnded")],
  ["a request with two", "INV-12", /has 2 usage records/, twice("ModelRequestEnded")],
  [
    "a secret in the log",
    "INV-13",
    /^a secret at/,
    (evidence) => ({ ...evidence, secrets: [evidence.sessions[0]!.sessionId] })
  ],
  [
    "an attempt that ran and was never started",
    "output gate",
    /ran and never started in the log/,
    onNotes("RunCalled", (note) => [{ ...note, attemptId: "attm_none" }])
  ]
]

/** Most of it in the first that it can happen in; a session that has ended, for one, owes nobody anything. */
describe("the judge finds", () => {
  const kept: Array<Evidence> = []
  beforeAll(async () => {
    for (let seed = 1; seed <= 16; seed++) {
      const ending = await run(seed, drawStory(seed))
      assert.deepStrictEqual(verdict(ending), [])
      if (ending.evidence.sessions.length > 0) kept.push(ending.evidence)
    }
  }, 120_000)

  it.each(broken)("%s", (_, invariant, says, spoil) => {
    const spoilt = kept.flatMap((evidence) => spoil(evidence) ?? [])
    assert.isNotEmpty(spoilt, "nothing of it happened")
    const isFound = (evidence: Evidence) =>
      judge(evidence).some((one) => one.invariant === invariant && says.test(one.detail))
    assert.isTrue(spoilt.some(isFound))
  })
})
