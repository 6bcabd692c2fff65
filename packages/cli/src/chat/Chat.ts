import type { ApprovalAnswer, MessageContent } from "@troupe/client"
import { attachedIn } from "../attachments/attachedIn.ts"
import { completePath } from "../attachments/completePath.ts"
import { mentionedIn, withAttachments } from "../attachments/withAttachments.ts"
import { inWords } from "../app/inWords.ts"
import { failureOf } from "../connection/failure.ts"
import type { Reached } from "../connection/reach.ts"
import { failureAdvice } from "../session/failureAdvice.ts"
import type { Listener, Outcome } from "../session/Transcript.ts"
import { Transcript } from "../session/Transcript.ts"
import { clean } from "../terminal/clean.ts"
import { changesShown } from "../workingcopy/changesShown.ts"
import { textOf } from "../terminal/Editor.ts"
import { cyan, dim, red, yellow } from "../terminal/styles.ts"
import { wrap } from "../terminal/wrap.ts"
import { Calls } from "./Calls.ts"
import { help, readCommand } from "./commands.ts"
import { Conversation } from "./Conversation.ts"
import { Markdown } from "./Markdown.ts"
import { initial, type Model } from "./Model.ts"
import type { Intent } from "./press.ts"
import { followHindrances } from "../session/hindrances.ts"
import { answerOf } from "./questions.ts"
import { textIn } from "./resultLine.ts"

const completionsMax = 12

/** What went wrong, and below it what to do. */
const wrong = (failure: Parameters<typeof failureAdvice>[0]): ReadonlyArray<string> =>
  clean(failureAdvice(failure)).split("\n").map(red)

/** Where a chat is shown. */
export interface Stage {
  readonly columns: () => number
  /** Lines that stay, and what is below them. */
  readonly show: (kept: ReadonlyArray<string>) => void
  /** Gives the terminal back to the shell, until that gives it to us again. */
  readonly suspend: () => void
}

/** A person and a session: what happens there is shown, and what is wanted here is done. */
export class Chat {
  readonly #connection: Reached
  readonly #stage: Stage
  readonly #markdown = new Markdown()
  readonly #calls = new Calls()
  #conversation: Conversation
  #transcript: Transcript
  model: Model = initial
  hasEnded = false
  /** The last line that stays; none is as good as one that is free. */
  #lastKept = ""

  constructor(connection: Reached, conversation: Conversation, stage: Stage) {
    this.#connection = connection
    this.#conversation = conversation
    this.#stage = stage
    this.#transcript = new Transcript(this.#listener())
  }

  /** A line that is left free between what is of two kinds, where none is yet. */
  #apart(): ReadonlyArray<string> {
    return this.#lastKept === "" ? [] : [""]
  }

  get sessionId(): string {
    return this.#conversation.session.id
  }

  /** Shows another picture, below lines that stay. */
  change(to: Partial<Model>, kept: ReadonlyArray<string> = []): void {
    this.model = { ...this.model, ...to }
    this.#lastKept = kept.at(-1) ?? this.#lastKept
    const columns = this.#stage.columns() - 1
    this.#stage.show(kept.flatMap((line) => wrap(line, columns)))
  }

  /** Follows the session, and the one that it is forked to, until the person leaves. */
  async run(): Promise<void> {
    while (!this.hasEnded) {
      const conversation = this.#conversation
      const outcome = await conversation.past(this.#transcript)
      if (outcome === "Running") await this.#joins(conversation)
      else await this.#ended(outcome, true)
      using _ = followHindrances(conversation.session, (hindrance) =>
        this.change({ notice: hindrance === null ? null : clean(hindrance.replaceAll("\n", " ")) })
      )
      for await (const event of conversation.follow()) {
        if (conversation !== this.#conversation || this.hasEnded) break
        if (this.model.notice !== null) this.change({ notice: null })
        const ended = this.#transcript.take(event)
        if (ended !== null) await this.#ended(ended)
        if (event.type === "session.deleted") {
          this.change({}, [red("The session was deleted.")])
          this.hasEnded = true
        }
      }
      if (conversation === this.#conversation) this.hasEnded = true
    }
  }

  /** Comes to work that goes on: who does it, and what waits behind it. */
  async #joins(conversation: Conversation): Promise<void> {
    this.change({ workingSince: Date.now() })
    const [standing, waiting] = await Promise.all([conversation.standing(), conversation.waiting()])
    this.change({ standing, queued: [...waiting, ...this.model.queued] })
  }

  leave(): void {
    this.hasEnded = true
    this.#conversation.close()
  }

  /** Does what the person wants, and says what kept it from being done. */
  async want(intent: Intent): Promise<void> {
    try {
      await this.#do(intent)
    } catch (error) {
      this.change({}, inWords(failureOf(error, this.#connection.server)).split("\n").map(red))
    }
  }

  async #do(intent: Intent): Promise<void> {
    const { session } = this.#conversation
    switch (intent._tag) {
      case "Quit":
        return this.leave()
      case "Suspend":
        return this.#stage.suspend()
      case "Interrupt":
        await session.interrupt()
        return
      case "Send":
        return await this.#send(intent.text, (content) => this.#conversation.send(intent.text, content))
      case "Complete":
        return this.#complete(intent.path)
      case "TakeBack":
        return await this.#takeBack()
      case "Unfold":
        return this.change({}, this.#calls.unfolds())
      case "Command":
        return await this.#command(intent.text)
      case "Allow":
        return await this.#decide({ result: "allow", scope: intent.scope })
      case "Deny":
        return await this.#decide({ result: "deny", message: intent.message })
      case "Answer":
        return await this.#answer(intent.text)
    }
  }

  /** One after the other: what is said later must not arrive first. */
  #lastSent: Promise<unknown> = Promise.resolve()

  async #send(text: string, how: (content: MessageContent) => Promise<{ readonly id: string }>): Promise<void> {
    const files = mentionedIn(text)
    const waiting = { id: `sending ${++this.#sends}`, text }
    this.change({ queued: [...this.model.queued, waiting], workingSince: this.model.workingSince ?? Date.now() })
    const without = () => this.model.queued.filter((one) => one !== waiting)
    try {
      const { troupe } = this.#connection
      // What was attached is shown where the message is, once it is there.
      const sent = this.#lastSent.then(async () => how(await withAttachments(troupe, text, files, () => undefined)))
      this.#lastSent = sent.catch(() => undefined)
      const { id } = await sent
      // It may have been taken up, and shown, before the answer came.
      const queued = this.#taken.has(id) ? without() : [...without(), { id, text }]
      this.change({ queued })
    } catch (error) {
      this.change({ queued: without() })
      throw error
    }
  }

  /** Writes the path that is typed to its end, and shows what it may become where that is more than one. */
  #complete(typed: string): void {
    const { editor } = this.model
    const { others, path } = completePath(typed)
    const shown = others.slice(0, completionsMax).join("  ") + (others.length > completionsMax ? "  …" : "")
    this.change(
      { editor: { ...editor, before: editor.before.slice(0, editor.before.length - typed.length) + path } },
      path === typed && others.length > 0 ? [dim(shown)] : []
    )
  }

  async #takeBack(): Promise<void> {
    // What is still on its way can't be taken back before it is there.
    await this.#lastSent
    const last = this.model.queued.at(-1)
    if (last === undefined) return
    this.change({ queued: this.model.queued.filter((one) => one !== last) })
    try {
      const text = await this.#conversation.takeBack(last.id)
      if (text === null) return this.change({}, [dim("It can't be taken back: it has begun.")])
      const { editor } = this.model
      const typed = textOf(editor)
      this.change({ editor: { ...editor, before: typed === "" ? text : `${text}\n${typed}`, after: "" } })
    } catch (error) {
      this.change({ queued: [...this.model.queued, last] })
      throw error
    }
  }

  #sends = 0
  readonly #taken = new Set<string>()
  readonly #asked = new Map<string, string>()

  async #command(text: string): Promise<void> {
    const given = readCommand(text)
    if (typeof given === "string") return this.change({}, [red(given)])
    const { name, rest } = given
    if (name === "quit") return this.leave()
    if (name === "help") return this.change({}, help())
    if (name === "changes") return this.change({}, await changesShown(this.#connection.troupe, this.sessionId))
    if (name === "steer") return await this.#send(rest, (content) => this.#conversation.steer(content))
    if (name === "model") {
      if (rest !== "") this.#conversation.model = rest
      return this.change({ standing: await this.#conversation.standing() })
    }
    await this.#fork(rest === "" ? null : Number(rest))
  }

  async #fork(seq: number | null): Promise<void> {
    const before = this.#conversation
    const { id } = await before.session.fork({ seq })
    const next = await Conversation.open(this.#connection, id)
    next.model = before.model
    this.#transcript = new Transcript(this.#listener(true))
    this.#conversation = next
    before.close()
    this.change({ queued: [], calls: [], asks: [] }, [
      dim(`This goes on in ${id}; ${before.session.id} stays as it is.`)
    ])
  }

  async #decide(answer: ApprovalAnswer): Promise<void> {
    const [ask] = this.model.asks
    if (ask?._tag !== "Approval") return
    const { approvals } = this.#connection.troupe.sessions
    await this.#settle(() => approvals.answer(this.sessionId, ask.approval.id, answer))
  }

  async #answer(text: string): Promise<void> {
    const [ask] = this.model.asks
    if (ask?._tag !== "Question") return
    const { questions } = this.#connection.troupe.sessions
    const answer = answerOf(ask.question, text)
    await this.#settle(() => questions.answer(this.sessionId, ask.question.id, answer))
  }

  /** The first that is asked goes. Where its answer did not hold, what is asked is what the server says. */
  async #settle(send: () => PromiseLike<unknown>): Promise<void> {
    this.change({ asks: this.model.asks.slice(1) })
    try {
      await send()
    } catch (error) {
      const asks = await this.#conversation.asks().catch(() => null)
      if (asks !== null) this.change({ asks })
      throw error
    }
  }

  async #ended(outcome: Outcome, isPast = false): Promise<void> {
    const waits = outcome._tag === "Waits"
    const { error, errorCode } = this.#transcript
    this.#transcript.error = null
    const calls = waits ? this.model.calls : []
    const left = waits ? [] : this.model.calls.map(({ line }) => dim(`○ ${line}`))
    const says =
      outcome._tag === "Failed"
        ? wrong({ error: error ?? "It did not get to an end.", errorCode })
        : outcome._tag === "BudgetReached"
          ? [red("Its budget is used up.")]
          : []
    this.change(
      { workingSince: null, isInterrupting: false, calls },
      isPast && error === null ? left : [...left, ...says]
    )
    const asks = waits ? await this.#conversation.asks() : []
    this.change({ asks, isDenying: false, standing: await this.#conversation.standing() })
  }

  #listener(isQuiet = false): Listener {
    let isShown = !isQuiet
    const kept = (lines: ReadonlyArray<string>, to: Partial<Model> = {}) => this.change(to, isShown ? lines : [])
    let isInText = false
    return {
      text: (piece) => {
        const before = isInText ? [] : this.#apart()
        isInText = true
        const lines = (this.#line + clean(piece)).split("\n")
        this.#line = lines.pop()!
        kept([...before, ...lines.map((line) => this.#markdown.line(line))], {
          partial: isShown ? this.#markdown.preview(this.#line) : ""
        })
      },
      textEnds: () => {
        this.#markdown.reset()
        isInText = false
        kept([""])
      },
      tool: (use) => {
        // A question stands there as one, and stays with its answer.
        if (use.name === "ask_user") this.#asked.set(use.id, String(use.input["question"]))
        else if (isShown) {
          this.change({ calls: [...this.model.calls, { id: use.id, line: this.#calls.begins(use) }] })
        }
      },
      result: (id, result) =>
        kept(this.#calls.ends(id, result), { calls: this.model.calls.filter((call) => call.id !== id) }),
      answer: (id, answer) => {
        const question = this.#asked.get(id)
        const said = `${cyan("›")} ${textIn(answer)}`
        const lines = question === undefined ? [] : [...this.#apart(), yellow(`? ${clean(question)}`), said, ""]
        kept(lines, { calls: this.model.calls.filter((call) => call.id !== id) })
      },
      user: (text, { content, id }) => {
        this.#taken.add(id)
        const queued = this.model.queued.filter(
          (one) => one.id !== id && !(one.id.startsWith("sending") && one.text === text)
        )
        const lines = clean(text).split("\n")
        // What was interrupted has ended, and this is the next.
        const said = lines.map((line, at) => `${cyan(at === 0 ? "›" : " ")} ${line}`)
        kept([...this.#apart(), ...said, ...attachedIn(content).map((name) => dim(`  + ${clean(name)}`)), ""], {
          queued,
          isInterrupting: false
        })
      },
      status: (event) => {
        if (event.type !== "session.status_running") return
        isShown = true
        this.change({ workingSince: this.model.workingSince ?? Date.now(), asks: [] })
      }
    }
  }

  #line = ""
}
