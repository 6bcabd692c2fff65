import { ApiFailure, invalid } from "@troupe/domain/api/ApiError"
import { Effect, Schema } from "effect"
import type { FromServerEncoded, ResponseExitEncoded } from "effect/rpc/RpcMessage"
import type { Protocol } from "effect/rpc/RpcServer"

type Exit = ResponseExitEncoded["exit"]
type Cause = Extract<Exit, { readonly _tag: "Failure" }>["cause"]

const encode = Schema.encodeSync(Schema.toCodecJson(ApiFailure))
const broke = new ApiFailure({ type: "api_error", message: "The call could not be answered; try again" })

/** The server tells in words of a payload that it can't read, and of a call that there is not. All else is a fault of ours. */
const failureOf = (defect: unknown): ApiFailure => (typeof defect === "string" ? invalid(defect) : broke)

const typed = (cause: Cause): Cause =>
  cause.map((one) => (one._tag === "Die" ? { _tag: "Fail", error: encode(failureOf(one.defect)) } : one))

const noted = (cause: Cause) =>
  Effect.forEach(
    cause.filter((one) => one._tag === "Die" && typeof one.defect !== "string"),
    (one) => Effect.logError("A call broke", one),
    { discard: true }
  )

/** A call that could not be read, or that broke, fails as others do: with what HTTP would be answered with. */
export const typedExits = (protocol: Protocol["Service"]): Protocol["Service"] => ({
  ...protocol,
  send: (clientId, response: FromServerEncoded, transferables) => {
    if (response._tag !== "Exit" || response.exit._tag === "Success") {
      return protocol.send(clientId, response, transferables)
    }
    const { cause } = response.exit
    const exit: Exit = { _tag: "Failure", cause: typed(cause) }
    return Effect.andThen(noted(cause), protocol.send(clientId, { ...response, exit }, transferables))
  }
})
