import type { TimelineCall } from "@troupe/domain/session/Timeline"
import { type ComponentType, lazy, Suspense } from "react"
import { JsonTree } from "../../ui/JsonTree.tsx"
import { Code } from "../../ui/Markdown.tsx"
import { firstLineOf, languageOf, planIn, textIn, wordsOf } from "../content.logic.ts"
import { Pictures } from "../Attached.tsx"
import { PlanSteps } from "../Plan.tsx"
import { Output, Terminal } from "./Terminal.tsx"
import { type AnswerProps, Glob, Grep } from "./Found.tsx"
import { WebPage, WebResults } from "./Web.tsx"
import "./tools.css"

const Diff = lazy(() => import("../diff/Diff.tsx"))

type Props = { readonly call: TimelineCall }

const inputOf = ({ editedInput, input }: TimelineCall) => editedInput ?? input

/** Lines of a file come with their numbers. */
const Read = ({ call }: Props) => (
  <>
    <Output text={wordsOf(call.content)} />
    <Pictures content={call.content} of="Picture from the tool" />
  </>
)

const Write = ({ call }: Props) => {
  const path = textIn(inputOf(call), "file_path") ?? ""
  return (
    <>
      <Code language={languageOf(path)} text={textIn(inputOf(call), "content") ?? ""} />
      {call.isError ? <Output text={wordsOf(call.content)} /> : null}
    </>
  )
}

const Edit = ({ call }: Props) => {
  const input = inputOf(call)
  return (
    <>
      <Suspense>
        <Diff
          path={textIn(input, "file_path")}
          before={textIn(input, "old_string") ?? ""}
          after={textIn(input, "new_string") ?? ""}
          first={firstLineOf(call.content)}
        />
      </Suspense>
      {call.isError ? <Output text={wordsOf(call.content)} /> : null}
    </>
  )
}

const Question = ({ call }: Props) => (
  <dl className="facts">
    <dt>Question</dt>
    <dd>{textIn(call.question, "text") ?? textIn(call.input, "question")}</dd>
    <dt>Answer</dt>
    <dd>{call.answer === null ? "–" : typeof call.answer === "string" ? call.answer : JSON.stringify(call.answer)}</dd>
  </dl>
)

const Planned = ({ call }: Props) => {
  const steps = planIn(inputOf(call))
  return steps === null ? <Anything call={call} /> : <PlanSteps steps={steps} />
}

const Anything = ({ call }: Props) => {
  const words = wordsOf(call.content)
  return (
    <>
      <JsonTree value={inputOf(call)} />
      {words === "" ? null : <Output text={words} />}
      <Pictures content={call.content} of="Picture from the tool" />
    </>
  )
}

/** What can be read back from an answer is drawn; what went wrong, waits, or is kept elsewhere is not in it. */
const readable = (Answer: ComponentType<AnswerProps>) => {
  const Readable = ({ call }: Props) => {
    const { content } = call
    const isWhole = content.length > 0 && content.every(({ type }) => type !== "blob" && type !== "redacted")
    return call.isError || !isWhole ? (
      <Anything call={call} />
    ) : (
      <>
        <Answer answer={wordsOf(content)} input={inputOf(call)} />
        <Pictures content={content} of="Picture from the tool" />
      </>
    )
  }
  return Readable
}

const byName: Readonly<Record<string, ComponentType<Props>>> = {
  bash: Terminal,
  read: Read,
  write: Write,
  edit: Edit,
  glob: readable(Glob),
  grep: readable(Grep),
  web_fetch: readable(WebPage),
  web_search: readable(WebResults),
  ask_user: Question,
  update_plan: Planned
}

/** What a call did, drawn as what it is; a tool that is not known shows what it was given and what it gave. */
export const CallDetails = ({ call }: Props) => {
  const Renderer = call.server === null ? (byName[call.name] ?? Anything) : Anything
  return (
    <div className="call-details">
      {call.decision?.type === "deny" ? (
        <p className="denied">Denied{call.decision.message === null ? "" : `: ${call.decision.message}`}</p>
      ) : null}
      <Renderer call={call} />
    </div>
  )
}
