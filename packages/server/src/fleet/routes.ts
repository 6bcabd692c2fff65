import { forbidden } from "@troupe/domain/api/ApiError"
import * as Api from "@troupe/domain/api/Fleet"
import { Effect } from "effect"
import { isOperator } from "../access/isOperator.ts"
import { route } from "../gateway/Route.ts"
import { fleet } from "./fleet.ts"

export const routes = route(Api.retrieve, "admin", ({ caller }) =>
  Effect.gen(function* () {
    if (!(yield* isOperator(caller))) return yield* forbidden("The fleet is shown to admins of the first workspace")
    return yield* fleet()
  })
)
