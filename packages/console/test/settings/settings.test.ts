import type { WorkspaceSettings } from "@troupe/client"
import { assert, describe, it } from "vitest"
import { bodyOf, canPass, draftOf, wrongWithSettings } from "../../src/settings/settings.logic.ts"

const settings: WorkspaceSettings = {
  type: "settings",
  version: 3,
  day_limits: [{ metric: "tokens", max: 1_000_000, enforcement: "soft" }],
  day_limits_passed_on: null,
  default_environment_id: null,
  default_model: "demo",
  default_aux_model: null,
  default_harness: null,
  mcp_sampling: true,
  prices: { demo: { input: 1, output: 2, cache_read: 3, cache_write_5m: 4, cache_write_1h: 5 } }
}

describe("a workspace's settings", () => {
  it("are sent as they were read where nothing was changed, for the version that was seen", () => {
    const { day_limits, default_aux_model, default_harness, default_model, mcp_sampling, prices } = settings
    assert.deepStrictEqual(bodyOf(draftOf(settings), 3), {
      version: 3,
      day_limits,
      default_aux_model,
      default_harness,
      default_model,
      mcp_sampling,
      prices
    })
  })

  it("have nothing where a field was left empty, and the environment that was chosen", () => {
    const draft = { ...draftOf(settings), model: " ", environment: "env_1" }
    assert.deepInclude(bodyOf(draft, 3), { default_model: null, default_environment_id: "env_1" })
  })

  it("say what keeps them from being saved", () => {
    const draft = draftOf(settings)
    assert.isNull(wrongWithSettings(draft))
    assert.include(wrongWithSettings({ ...draft, harness: "Our harness" }) ?? "", "small letters")
    assert.include(wrongWithSettings({ ...draft, prices: "[]" }) ?? "", "A table of prices is a JSON object")
  })

  it("let today's limits pass where there is one that asks, once", () => {
    assert.isTrue(canPass(settings, "2026-11-22"))
    assert.isFalse(canPass({ ...settings, day_limits_passed_on: "2026-11-22" }, "2026-11-22"))
    assert.isTrue(canPass({ ...settings, day_limits_passed_on: "2026-11-21" }, "2026-11-22"))
    const hard = [{ metric: "tokens", max: 1, enforcement: "hard" }] as const
    assert.isFalse(canPass({ ...settings, day_limits: hard }, "2026-11-22"))
  })
})
