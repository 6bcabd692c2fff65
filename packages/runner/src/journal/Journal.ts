import { AttemptId, SessionId } from "@troupe/domain/Ids"
import { Clock, Context, Effect, Layer, Schema } from "effect"
import { randomUUID } from "node:crypto"
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs"
import { join } from "node:path"
import { AttemptJournal, type Commons, type JournalSizes } from "./AttemptJournal.ts"
import { errorText, flushDirectory, makeDirectories, stage, writeWhole } from "./files.ts"
import { JournaledRequest } from "./JournaledRequest.ts"
import { JournalFinding, JournalUnusable, NoRoom } from "./JournalErrors.ts"
import { Ledger, moveAside } from "./Ledger.ts"
import { after, nothingOpen, type OpenWork } from "./OpenWork.ts"
import { Reserve } from "./Reserve.ts"
import { isSegmentName, load, type Segment } from "./Segment.ts"

const Request = Schema.fromJsonString(JournaledRequest)
const encodeRequest = Schema.encodeSync(Request)
const decodeRequest = Schema.decodeUnknownSync(Request)
const isAttemptId = Schema.is(AttemptId)
const isUuid = Schema.is(Schema.String.check(Schema.isUUID()))

/** What was moved aside is kept for people, but not for ever. */
const asideMax = 20

/** The runner's disk: what its attempts said, and what it must remember of those that are gone. */
export class Journal extends Context.Service<
  Journal,
  {
    /** One for each journal: another one means that the attempts of before are gone. */
    readonly journalId: string
    /** What was found at the start and could not be used. */
    readonly findings: ReadonlyArray<JournalFinding>
    /** The attempts that were found at the start. */
    readonly found: ReadonlyArray<AttemptJournal>
    /**
     * The request is on disk before any frame of the attempt. Until then nothing was said, and nothing done that would be
     * missed: an attempt that a power cut takes with its request is one that was never heard of, and is run again.
     */
    readonly create: (request: JournaledRequest) => Effect.Effect<AttemptJournal, NoRoom>
    /** The attempt is over: its frames go, and its id is never used again. */
    readonly forget: (attempt: AttemptJournal, reason: string) => Effect.Effect<void>
    /** Why an attempt was forgotten, if it was. */
    readonly forgotten: (attemptId: AttemptId) => string | undefined
    readonly epoch: (sessionId: SessionId) => number
    /** On disk when this succeeds. */
    readonly raiseEpoch: (sessionId: SessionId, epoch: number) => Effect.Effect<void, NoRoom>
  }
>()("runner/Journal") {
  static readonly layer = (directory: string, sizes: JournalSizes): Layer.Layer<Journal, JournalUnusable> =>
    Layer.effect(Journal, open(directory, sizes))
}

const open = Effect.fnUntraced(function* (directory: string, sizes: JournalSizes) {
  const clock = yield* Clock.Clock
  const attempts = join(directory, "attempts")
  const aside = join(directory, "aside")
  const findings: Array<JournalFinding> = []
  const opened = yield* Effect.try({
    try: () => {
      for (const path of [directory, attempts, aside]) makeDirectories(path)
      const reserve = new Reserve(join(directory, "reserve"), sizes.closingBytes * 16)
      reserve.fill()
      const commons: Commons = {
        sizes,
        usedBytes: 0,
        release: (bytes) => reserve.release(bytes),
        now: () => clock.currentTimeMillisUnsafe()
      }
      const sound = readJournalId(directory)
      // Without its name, what is in it is nobody's.
      if (sound === null && readdirSync(attempts).length > 0) {
        moveAside(aside, attempts, `${String(commons.now()).padStart(15, "0")}-${randomUUID()}`)
        makeDirectories(attempts)
      }
      const journalId = sound ?? makeJournalId(directory)
      const setAside = (path: string, what: JournalFinding["what"], detail: string) => {
        findings.push(new JournalFinding({ path, what, detail }))
        for (const old of readdirSync(aside)
          .sort()
          .slice(0, 1 - asideMax)) {
          rmSync(join(aside, old), { recursive: true, force: true })
        }
        moveAside(aside, path, `${String(commons.now()).padStart(15, "0")}-${randomUUID()}`)
      }
      const ledger = Ledger.open(directory, (path) => setAside(path, "damaged", "records are damaged"))
      const found: Array<AttemptJournal> = []
      for (const name of readdirSync(attempts)) {
        const path = join(attempts, name)
        if (!isAttemptId(name) || !statSync(path).isDirectory()) setAside(path, "foreign", "it is no attempt")
        // The runner ended between forgetting it and taking it away, or before it was accepted.
        else if (ledger.why(name) !== undefined || !existsSync(join(path, "request.json"))) {
          rmSync(path, { recursive: true, force: true })
        } else {
          const attempt = loadAttempt(path, name, commons)
          if (typeof attempt !== "string") found.push(attempt)
          else {
            setAside(path, "damaged", attempt)
            ledger.record(
              { _tag: "Forgotten", attemptId: name, reason: `its journal is damaged: ${attempt}` },
              () => {}
            )
          }
        }
      }
      return { journalId, reserve, commons, ledger, found }
    },
    catch: (cause) => new JournalUnusable({ directory, detail: errorText(cause) })
  })
  const { commons, found, journalId, ledger, reserve } = opened
  const all = new Set(found)
  yield* Effect.addFinalizer(() =>
    Effect.promise(async () => {
      for (const attempt of all) await attempt.shut()
      await ledger.close()
    })
  )

  const recordOnce = (entry: Parameters<Ledger["record"]>[0]) =>
    Effect.callback<void, NoRoom>((resume) =>
      ledger.record(entry, (failure) =>
        resume(failure === null ? Effect.void : Effect.fail(new NoRoom({ detail: errorText(failure) })))
      )
    )
  /** On a full disk, in the space that is kept for it. */
  const recorded = (entry: Parameters<Ledger["record"]>[0]) =>
    Effect.catch(recordOnce(entry), () =>
      Effect.suspend(() => {
        reserve.release(sizes.closingBytes)
        return recordOnce(entry)
      })
    )

  const create = Effect.fn("Journal.create")(function* (request: JournaledRequest) {
    const kept = withoutHistory(request)
    const text = encodeRequest(kept)
    const bytes = Buffer.byteLength(text)
    if (bytes + sizes.closingBytes > sizes.attemptBytes || commons.usedBytes + bytes > sizes.totalBytes) {
      return yield* new NoRoom({ detail: `${commons.usedBytes} of ${sizes.totalBytes} bytes are used` })
    }
    const path = join(attempts, request.attemptId)
    return yield* Effect.try({
      try: () => {
        mkdirSync(path, { mode: 0o700 })
        const place = stage(join(path, "request.json"), text)
        const attempt = new AttemptJournal(path, kept, bytes, commons, async () => {
          await place()
          await Promise.all([flushDirectory(path), flushDirectory(attempts)])
        })
        all.add(attempt)
        return attempt
      },
      catch: (cause) => {
        rmSync(path, { recursive: true, force: true })
        return new NoRoom({ detail: errorText(cause) })
      }
    })
  })

  const forget = Effect.fn("Journal.forget")(function* (attempt: AttemptJournal, reason: string) {
    const { attemptId } = attempt.request
    // Where even this can't be written, it is known until the process ends, and the frames stay.
    const kept = yield* Effect.result(recorded({ _tag: "Forgotten", attemptId, reason }))
    all.delete(attempt)
    yield* Effect.promise(() => (kept._tag === "Success" ? attempt.remove() : attempt.shut()))
    reserve.fill()
  }, Effect.uninterruptible)

  return Journal.of({
    journalId,
    findings,
    found,
    create,
    forget,
    forgotten: (attemptId) => ledger.why(attemptId),
    epoch: (sessionId) => ledger.epoch(sessionId),
    raiseEpoch: (sessionId, epoch) => recorded({ _tag: "Epoch", sessionId, epoch })
  })
})

const readJournalId = (directory: string): string | null => {
  const path = join(directory, "journal-id")
  const known = existsSync(path) ? readFileSync(path, "utf8").trim() : ""
  return isUuid(known) ? known : null
}

const makeJournalId = (directory: string): string => {
  const journalId = randomUUID()
  writeWhole(join(directory, "journal-id"), `${journalId}\n`)
  return journalId
}

/** The conversation may be long, and is not needed once the attempt is under way: nobody takes it up again. */
const withoutHistory = (request: JournaledRequest): JournaledRequest => ({ ...request, history: [] })

const loadAttempt = (path: string, name: string, commons: Commons): AttemptJournal | string => {
  try {
    const text = readFileSync(join(path, "request.json"), "utf8")
    const request = decodeRequest(text)
    if (request.attemptId !== name) return `it is of ${request.attemptId}`
    const segments: Array<Segment> = []
    let open: OpenWork = nothingOpen
    const names = readdirSync(path).filter(isSegmentName).sort()
    for (const [index, segmentName] of names.entries()) {
      const file = join(path, segmentName)
      const before = segments.at(-1)
      const loaded = load(file, before === undefined ? null : before.last + 1)
      if (typeof loaded === "string") return `${segmentName}: ${loaded}`
      const isLast = index === names.length - 1
      if (!isLast && loaded?.torn !== false) return `${segmentName}: it ends too early`
      if (loaded === null) {
        rmSync(file)
        continue
      }
      segments.push(loaded.segment)
      open = loaded.frames.reduce(after, before === undefined ? loaded.open : open)
    }
    const acknowledged = acknowledgedOf(path)
    const last = segments.at(-1)?.last ?? 0
    if (acknowledged > last) return `frame ${acknowledged} was acknowledged, and ${last} is the last`
    if (acknowledged < (segments[0]?.first ?? 1) - 1) return "frames are missing at its beginning"
    const rest = { segments, acknowledged, open }
    return new AttemptJournal(path, withoutHistory(request), Buffer.byteLength(text), commons, rest)
  } catch (cause) {
    return errorText(cause)
  }
}

const acknowledgedOf = (path: string): number => {
  const file = join(path, "acknowledged")
  if (!existsSync(file)) {
    writeWhole(file, "")
    return 0
  }
  const value = Number(readFileSync(file, "utf8").trim())
  return Number.isSafeInteger(value) && value >= 0 ? value : 0
}
