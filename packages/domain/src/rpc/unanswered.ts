import { Effect } from "effect"
import type * as RpcClient from "effect/rpc/RpcClient"
import type { FromServerEncoded } from "effect/rpc/RpcMessage"

const done = { _tag: "Success", value: undefined } as const

/** Calls whose result is discarded go out as notifications: they are done once they are written, and nothing comes back. */
export const unanswered = (inner: RpcClient.Protocol["Service"]): RpcClient.Protocol["Service"] => {
  let take: (message: FromServerEncoded) => Effect.Effect<void> = () => Effect.void
  return {
    ...inner,
    run: (clientId, write) => {
      take = write
      return inner.run(clientId, write)
    },
    send: (clientId, message, transferables) => {
      if (message._tag !== "Request" || message.discard !== true) return inner.send(clientId, message, transferables)
      const { discard: _, ...notification } = message
      return Effect.andThen(
        inner.send(clientId, { ...notification, isNotification: true }, transferables),
        Effect.suspend(() => take({ _tag: "Exit", requestId: message.id, exit: done }))
      )
    }
  }
}
