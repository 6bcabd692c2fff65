import type { ChatMessage } from "@copilotkit/aimock"
import type { JsonObject } from "@troupe/domain/Json"
import { Effect, Result, Stream } from "effect"
import { once } from "node:events"
import { createServer, type Server, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import * as DemoModel from "../../packages/runner/src/models/demo/DemoModel.ts"
import type { ModelEvent } from "../../packages/runner/src/models/ModelClient.ts"
import { itemsOf } from "../../packages/runner/test/support/demoServer.ts"

/** A server that speaks Chat Completions and does what the demo model does, word by word, at a pace. It has pages, too. */
export class OpenAiServer {
  /** Requests that it began to answer. */
  answered = 0
  /** By which model and with which key it was asked, each time. */
  readonly asked: Array<{ readonly model: string; readonly authorization: string | undefined }> = []
  /** What it was asked with beside that, the last time. */
  settings: JsonObject = {}
  private wasBusy = false
  private brokeOff = false
  private waiting: ServerResponse | null = null
  private readonly server: Server
  private readonly model = DemoModel.make({ paceMs: 15 })

  private constructor(models: ReadonlyArray<string>) {
    const list = JSON.stringify({ object: "list", data: models.map((id) => ({ id, object: "model" })) })
    this.server = createServer((request, response) => {
      let body = ""
      request.on("data", (chunk: Buffer) => (body += chunk.toString()))
      request.on("end", () => {
        if (request.method === "POST") void this.answer(body, request.headers.authorization, response)
        else if (request.url === "/page") response.end("say: The answer is forty-two.")
        else if (request.url === "/meet") this.meet(response)
        else response.writeHead(200, { "content-type": "application/json" }).end(list)
      })
    })
  }

  /** It lists these models, and answers for any. */
  static async start(models: ReadonlyArray<string> = []): Promise<OpenAiServer> {
    const one = new OpenAiServer(models)
    one.server.listen(0, "127.0.0.1")
    await once(one.server, "listening")
    return one
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`
  }

  stop(): void {
    this.server.closeAllConnections()
    this.server.close()
  }

  /** Nobody is answered before another one asks. */
  private meet(response: ServerResponse): void {
    const { waiting } = this
    this.waiting = waiting === null ? response : null
    if (waiting !== null) for (const one of [waiting, response]) one.end("both are here")
  }

  private async answer(body: string, authorization: string | undefined, response: ServerResponse): Promise<void> {
    const { messages, model, ...settings } = JSON.parse(body) as JsonObject & {
      readonly model: string
      readonly messages: ReadonlyArray<ChatMessage>
    }
    this.asked.push({ model, authorization })
    this.settings = settings
    const history = messages.flatMap(itemsOf)
    const isSummary = history.at(-1)?.type === "user" && JSON.stringify(history.at(-1)).includes("Sum up this")
    const overflows = JSON.stringify(messages).includes("too much for the window")
    if (overflows && !isSummary) {
      const error = { message: "maximum context length exceeded", code: "context_length_exceeded" }
      response.writeHead(400, { "content-type": "application/json" }).end(JSON.stringify({ error }))
      return
    }
    if (model.startsWith("nobody/")) {
      const error = { message: `there is no model ${model}`, code: "model_not_found" }
      response.writeHead(404, { "content-type": "application/json" }).end(JSON.stringify({ error }))
      return
    }
    if (!this.wasBusy && JSON.stringify(messages).includes("too busy")) {
      this.wasBusy = true
      const error = { message: "too many requests", code: "rate_limit_exceeded" }
      response.writeHead(429, { "content-type": "application/json", "retry-after": "1" }).end(JSON.stringify({ error }))
      return
    }
    if (!this.brokeOff && JSON.stringify(messages).includes("break off")) {
      this.brokeOff = true
      const choices = [{ index: 0, delta: { content: "Once upon" }, finish_reason: null }]
      response.writeHead(200, { "content-type": "text/event-stream" })
      response.write(`data: ${JSON.stringify({ choices })}\n\n`, () => response.destroy())
      return
    }
    this.answered++
    const choice = settings["tool_choice"] === "none" ? ({ toolChoice: "none" } as const) : {}
    const request = { model: "demo", instructions: [], history, tools: [], settings: choice, cacheKey: "" }
    const chunk = (delta: object, finish_reason: string | null = null, more: object = {}) =>
      response.write(`data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason }], ...more })}\n\n`)
    let calls = 0
    const tell = (event: ModelEvent) => {
      if (!response.headersSent) response.writeHead(200, { "content-type": "text/event-stream" })
      if (event._tag === "Delta" && calls === 0) chunk({ content: event.text })
      if (event._tag === "Begun" && event.kind === "tool_call") calls++
      if (event._tag === "ToolCall") {
        const { input, name } = event
        const id = `call_${this.answered}_${calls}`
        chunk({ tool_calls: [{ index: calls - 1, id, type: "function", function: { name, arguments: input } }] })
      }
      if (event._tag !== "Ended") return
      const reason = { end_turn: "stop", tool_calls: "tool_calls", max_tokens: "length", refusal: "content_filter" }
      const { inputTokens = 0, outputTokens = 0 } = event.usage ?? {}
      const usage = { prompt_tokens: inputTokens, completion_tokens: outputTokens, total_tokens: 0 }
      chunk({}, reason[event.stop], { usage })
      response.end("data: [DONE]\n\n")
    }
    const told = Stream.runForEach(this.model.stream(request), (event) => Effect.sync(() => tell(event)))
    const result = await Effect.runPromise(Effect.result(told))
    if (Result.isFailure(result) && !response.headersSent) response.writeHead(500).end("{}")
  }
}
