/** What a harness may be able to do. Each is proven by the conformance suite for those that say so of themselves. */
export const capabilities = {
  tools: "calls tools through the gateway, one after the other, and goes on with their results",
  parallel_calls: "has calls that are asked for together run side by side",
  streaming: "tells text as it is said, in pieces that make up its block",
  suspension: "ends where a call waits for somebody outside: an approval, a question, a client's tool",
  resumption: "goes on from the log with what was answered, and asks for nothing twice",
  interruption: "ends at once when it is interrupted, with nothing left open",
  steering: "takes messages into the running turn at its next step",
  pausing: "stops between two steps when it is told to",
  budgets: "stops before the request or the command that a hard limit does not allow, whoever is in reach",
  plans: "tells people the plan that the model makes, each time that it changes",
  subagents:
    "tells of each agent that works for one of its calls: what it was asked, which requests are its own, and how it ended",
  usage: "ends each model request in one usage record",
  recovery: "fails so that the session tries again, where that is likely to help",
  refusals: "tells a refusal of the model as one",
  compaction: "sums the conversation up when it fills the model's window"
} as const

export type HarnessCapability = keyof typeof capabilities
