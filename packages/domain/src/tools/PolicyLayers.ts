import { Schema } from "effect"
import { both, type Confinement, unconfined } from "./Confinement.ts"
import { PermissionPolicy } from "./PermissionPolicy.ts"
import { confinedBy, presetOf } from "./Presets.ts"
import type { RestrictionName } from "./Restrictions.ts"

export const layerNames = ["server", "workspace", "agent", "session", "turn"] as const
export type LayerName = (typeof layerNames)[number]

/** What one of those who have a say has written. What of it can't be read is not passed over. */
export interface PolicyLayer {
  readonly name: LayerName
  readonly policies: ReadonlyArray<unknown>
}

export interface PolicySources {
  readonly server: ReadonlyArray<unknown>
  readonly workspace: ReadonlyArray<unknown>
  readonly agent: ReadonlyArray<unknown>
  readonly session: ReadonlyArray<unknown>
  readonly turnPreset: string | null
}

/** From those who run the installation to the one turn. */
export const policyLayers = (sources: PolicySources): ReadonlyArray<PolicyLayer> => [
  { name: "server", policies: sources.server },
  { name: "workspace", policies: sources.workspace },
  { name: "agent", policies: sources.agent },
  { name: "session", policies: sources.session },
  { name: "turn", policies: sources.turnPreset === null ? [] : [{ type: "preset", preset: sources.turnPreset }] }
]

/** Those of an attempt, as it was told of them. */
export const layersOf = (request: {
  readonly policies: Pick<PolicySources, "server" | "workspace" | "session">
  readonly agent: { readonly policies: ReadonlyArray<unknown> }
  readonly overrides: { readonly permissionPreset?: string }
}): ReadonlyArray<PolicyLayer> =>
  policyLayers({
    ...request.policies,
    agent: request.agent.policies,
    turnPreset: request.overrides.permissionPreset ?? null
  })

export const readPolicy: (policy: unknown) => policy is PermissionPolicy = Schema.is(PermissionPolicy)

/** The bundles that a policy brings, if it is one that takes away. */
export const restrictionsIn = (policy: PermissionPolicy): ReadonlyArray<RestrictionName> =>
  policy.type === "restrictions"
    ? policy.restrictions
    : policy.type === "preset"
      ? (presetOf(policy.preset)?.restrictions ?? [])
      : []

/**
 * What sandboxes go without under these layers. A policy that can't be read might be one that takes away, so it counts as the
 * strictest: calls are asked for, and nothing that somebody allows then reaches further than that.
 */
export const confinementOf = (layers: ReadonlyArray<PolicyLayer>): Confinement =>
  layers
    .flatMap(({ policies }) => policies)
    .map((policy) => (readPolicy(policy) ? confinedBy(restrictionsIn(policy)) : strictest))
    .reduce(both, unconfined)

const strictest: Confinement = { network: "none", readOnly: true, noHostVariables: true, noGitWrites: true }
