import type { Json } from "@troupe/domain/Json"
import type { WorkspaceId } from "@troupe/domain/Ids"
import type { PriceTable } from "@troupe/domain/models/Price"
import type { PermissionPolicy } from "@troupe/domain/tools/PermissionPolicy"
import { Context, Effect, Layer } from "effect"
import { StoreUnavailable } from "../log/EventStore.ts"
import { SettingsStore } from "./SettingsStore.ts"

export interface OuterPolicies {
  readonly server: ReadonlyArray<Json>
  readonly workspace: ReadonlyArray<Json>
  /** What the workspace says that models cost: read in the same look. */
  readonly prices: PriceTable
}

/** The policies that hold beside an agent's own: of those who run the server, and of the workspace. */
export class Policies extends Context.Service<
  Policies,
  { readonly of: (workspaceId: WorkspaceId) => Effect.Effect<OuterPolicies, StoreUnavailable> }
>()("server/Policies") {
  static readonly layer = (server: ReadonlyArray<PermissionPolicy>): Layer.Layer<Policies, never, SettingsStore> =>
    Layer.effect(
      Policies,
      Effect.map(SettingsStore, (store) =>
        Policies.of({
          of: (workspaceId) =>
            store.get(workspaceId).pipe(
              Effect.map(({ settings }) => ({ server, workspace: settings.policies, prices: settings.prices ?? {} })),
              // Runners take a policy that they can't read for the strictest there is.
              Effect.catchTag("SettingsUnreadable", ({ message }) =>
                Effect.succeed({ server, workspace: [{ type: "unreadable", detail: message }], prices: {} })
              ),
              Effect.mapError((cause) => new StoreUnavailable({ operation: "policies", cause }))
            )
        })
      )
    )
}
