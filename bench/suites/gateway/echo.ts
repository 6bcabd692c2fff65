/** The least that a node's own router does for the same bytes: a route is found, the body parsed, and the same answered. */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { Effect, Layer, ManagedRuntime } from "effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServer from "effect/http/HttpServer"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { createServer } from "node:http"
import { serve } from "../../harness/serve.ts"

let page = ""

const echo = Effect.gen(function* () {
  const request = yield* HttpServerRequest.HttpServerRequest
  yield* request.json
  return HttpServerResponse.text(page, { contentType: "application/json" })
})

const server = HttpRouter.serve(HttpRouter.add("POST", "/v1/sessions/:id/events", echo), {
  disableListenLog: true,
  disableLogger: true
}).pipe(
  Layer.provideMerge(
    NodeHttpServer.layer(() => createServer({ keepAliveTimeout: 75_000 }), { host: "127.0.0.1", port: 0 })
  )
)
const runtime = ManagedRuntime.make(server)

serve(
  {
    listen: () =>
      runtime.runPromise(
        Effect.map(HttpServer.HttpServer, ({ address }) => ("port" in address ? Number(address.port) : 0))
      ),
    show: (shown: { readonly page: string }) => {
      page = shown.page
    }
  },
  () => runtime.dispose()
)
