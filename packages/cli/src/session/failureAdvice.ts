import type { Transcript } from "./Transcript.ts"
import { ourName } from "../app/NameConfig.ts"

/** By our word for what went wrong: what to type. */
const advice: Readonly<Record<string, string>> = {
  model_unknown: `${ourName} models list shows the models that can be used; --model names one, or /model in a chat.`,
  model_card_invalid: "Look at the model's card in the console, or name another model with --model.",
  model_access_denied: "The provider refuses its key: set another one where the runner starts, and start again.",
  model_request_failed: `${ourName} doctor says which providers of models answer.`,
  model_timeout: `${ourName} doctor says which providers of models answer.`,
  sandbox_failed: `${ourName} doctor says what keeps sandboxes from working.`,
  environment_failed: `Its environment says what is installed: ${ourName} environments list.`
}

/** What went wrong, and what to type. */
export const failureAdvice = ({ error, errorCode }: Pick<Transcript, "error" | "errorCode">): string => {
  const known = advice[errorCode ?? ""]
  return known === undefined ? `${error}` : `${error}\n${known}`
}
