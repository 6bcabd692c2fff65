interface Operation {
  operationId: string
  summary?: string
  security?: ReadonlyArray<object>
  parameters: Array<object>
  responses: Record<string, { description: string; headers?: object; content?: Record<string, { schema: object }> }>
}

interface Spec {
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, unknown>; [part: string]: unknown }
  security: ReadonlyArray<object>
}

const meanings: Readonly<Record<string, string>> = {
  "200": "Done",
  "400": "What was sent can't be used: `error.message` says what and where",
  "401": "No token was sent, or it opens nothing (any more)",
  "403": "The token may not do this, or the request came from a page that may not send it",
  "404": "There is no such thing, or it is not for this token to see",
  "409": "It contradicts what came before, such as a newer version",
  "413": "Too large",
  "429": "Too many requests: `retry-after` says when to come again",
  "500": "It broke on our side: try again, and tell us the `request_id`",
  "529": "Too much is waiting already: `retry-after` says when to come again"
}

const schemes = {
  bearer: { type: "http", scheme: "bearer", description: "An API key, or another token that opens the API" },
  apiKey: { type: "apiKey", in: "header", name: "x-api-key", description: "The same, as SDKs send it" },
  cookie: {
    type: "apiKey",
    in: "cookie",
    name: "troupe_session",
    description: "What a browser was logged in with; behind the name stands `_` and the port, where there is one"
  }
}

const requestId = {
  description: "The number of the request, in what is logged of it as well",
  schema: { type: "string" }
}
const retryAfter = { description: "Seconds to wait", schema: { type: "integer" } }
const idempotencyKey = {
  name: "Idempotency-Key",
  in: "header",
  required: false,
  description: "Sent again with the same key, a request does nothing twice and gets the first answer. Kept for a day.",
  schema: { type: "string", minLength: 1, maxLength: 255 }
}

/** `createSession` as people say it. */
const spoken = (name: string): string => {
  const words = name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
  return words.charAt(0).toUpperCase() + words.slice(1)
}

/** Whom no token is asked of: who logs in with one, and who has a signed address. */
const letIn: ReadonlySet<string> = new Set(["logIn", "sendUpload"])
/** Writes that need no key: a browser's and a runner's coming, and what an address alone makes once. */
const unkeyed: ReadonlySet<string> = new Set(["logIn", "logOut", "sendUpload", "registerRunner"])
/** A registration token is shown as a key is, and by no cookie. */
const registering = [{ bearer: [] }, { apiKey: [] }]

const refTo = (part: string, name: string) => ({ $ref: `#/components/${part}/${name}` })

/** What no endpoint says by itself: how to come in, what each status means, and the headers of every answer. */
const describeOperation = (method: string, operation: Operation): void => {
  const name = operation.operationId.split(".").at(-1)!
  operation.operationId = name
  operation.summary ??= spoken(name)
  if (letIn.has(name)) operation.security = [{}]
  else if (name === "registerRunner") operation.security = registering
  else delete operation.security
  if (method !== "get" && !unkeyed.has(name)) operation.parameters.push(refTo("parameters", "IdempotencyKey"))
  for (const [status, response] of Object.entries(operation.responses)) {
    response.description = meanings[status] ?? response.description
    const waits = status === "429" || status === "529"
    response.headers = {
      "request-id": refTo("headers", "RequestId"),
      ...(waits ? { "retry-after": refTo("headers", "RetryAfter") } : {})
    }
    for (const [type, body] of Object.entries(response.content ?? {})) {
      if (Number(status) >= 400) body.schema = refTo("schemas", "Error")
      if (type === "text/event-stream") delete (body as { "x-effect-stream"?: unknown })["x-effect-stream"]
    }
  }
}

/** Makes the description that is derived from the endpoints one that stands by itself. */
export const describe = (derived: Record<string, unknown>): Record<string, unknown> => {
  const spec = derived as unknown as Spec
  for (const methods of Object.values(spec.paths)) {
    for (const [method, operation] of Object.entries(methods)) describeOperation(method, operation)
  }
  const { schemas } = spec.components
  const errors = Object.keys(schemas).filter((name) => /^Error\d{3}$/.test(name))
  if (errors[0] !== undefined) schemas["Error"] = schemas[errors[0]]
  for (const name of errors) delete schemas[name]
  spec.components["securitySchemes"] = schemes
  spec.components["headers"] = { RequestId: requestId, RetryAfter: retryAfter }
  spec.components["parameters"] = { IdempotencyKey: idempotencyKey }
  spec.security = [{ bearer: [] }, { apiKey: [] }, { cookie: [] }]
  return { ...spec }
}
