import * as Api from "@troupe/domain/api/Feed"
import { Layer } from "effect"
import { rawRoute } from "../gateway/Route.ts"
import { feedSocket } from "./feedSocket.ts"
import { streamWorkspace } from "./streamWorkspace.ts"

export const routes = Layer.mergeAll(
  rawRoute(Api.workspaceStream, "read", streamWorkspace),
  rawRoute(Api.feed, "read", ({ caller }, request) => feedSocket(caller, request))
)
