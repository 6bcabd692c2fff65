import { once } from "node:events"
import { createServer, type Server, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"

/** A server that speaks Chat Completions, and says word by word what it is given to say: no sooner, and no more. */
export class SpokenModel {
  private readonly server: Server
  private readonly asked = Promise.withResolvers<ServerResponse>()

  private constructor() {
    this.server = createServer((request, response) => {
      request.resume().on("end", () => {
        if (request.method !== "POST") return response.end('{"object":"list","data":[]}')
        response.writeHead(200, { "content-type": "text/event-stream" })
        this.asked.resolve(response)
      })
    })
  }

  static async start(): Promise<SpokenModel> {
    const one = new SpokenModel()
    one.server.listen(0, "127.0.0.1")
    await once(one.server, "listening")
    return one
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/v1`
  }

  /** Says some words of the answer to the first request. */
  async say(content: string): Promise<void> {
    await this.tell({ delta: { content }, finish_reason: null })
  }

  /** There is no more to it. */
  async finish(): Promise<void> {
    await this.tell({ delta: {}, finish_reason: "stop" }, { prompt_tokens: 1, completion_tokens: 7, total_tokens: 8 })
    const response = await this.asked.promise
    response.end("data: [DONE]\n\n")
  }

  private async tell(choice: object, usage: object | null = null): Promise<void> {
    const response = await this.asked.promise
    response.write(`data: ${JSON.stringify({ choices: [{ index: 0, ...choice }], usage })}\n\n`)
  }

  end(): void {
    this.server.closeAllConnections()
    this.server.close()
  }
}
