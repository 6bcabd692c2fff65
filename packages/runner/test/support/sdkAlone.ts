import { Agent, type Model, Runner, setTracingDisabled, type StreamEvent, tool, Usage } from "@openai/agents"

setTracingDisabled(true)

type Said = Extract<StreamEvent, { type: "response_done" }>["response"]["output"][number]

/**
 * Milliseconds a model request, with its call, by the SDK of OpenAI alone: its loop, its tools, and a model that answers at once.
 * The harness is measured against it.
 */
export const sdkAlone = async (requests: number): Promise<number> => {
  let left = requests
  const answer = (): Said =>
    --left > 0
      ? { type: "function_call", callId: `call_${left}`, name: "work", status: "completed", arguments: "{}" }
      : { type: "message", role: "assistant", status: "completed", content: [{ type: "output_text", text: "done" }] }
  const model: Model = {
    getResponse: async () => ({ usage: new Usage(), output: [answer()] }),
    getStreamedResponse: async function* () {
      yield { type: "response_started" }
      const response = { id: `response_${left}`, usage: { inputTokens: 40, outputTokens: 9, totalTokens: 49 } }
      yield { type: "response_done", response: { ...response, output: [answer()] } }
    }
  }
  const work = tool({
    name: "work",
    description: "work",
    strict: false,
    parameters: { type: "object", properties: {}, required: [], additionalProperties: true },
    execute: async () => "out"
  })
  const agent = new Agent({ name: "bench", model, tools: [work] })
  const begun = performance.now()
  const streamed = await new Runner({ tracingDisabled: true }).run(agent, "go", { stream: true, maxTurns: null })
  for await (const _event of streamed) {
    // Nobody reads it here either.
  }
  await streamed.completed
  return (performance.now() - begun) / requests
}
