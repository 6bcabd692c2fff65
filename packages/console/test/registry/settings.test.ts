import { createElement, type FunctionComponent } from "react"
import { renderToStaticMarkup } from "react-dom/server"
import { assert, describe, it } from "vitest"
import { find } from "../../src/app/palette.logic.ts"
import { type Setting, settingActions } from "../../src/registry/settings.logic.ts"

/** What draws is compiled for browsers, apart from tests. */
const drawing: string = "../../src/app/SettingFields.tsx"

describe("an entry of the registry of settings", () => {
  let density = "roomy"
  const added: Setting = {
    id: "density",
    title: "Density",
    words: "compact",
    options: [
      { value: "roomy", title: "Roomy" },
      { value: "dense", title: "Dense" }
    ],
    useValue: () => density,
    set: (value) => {
      density = value
    }
  }

  it("is drawn by the panel, and found and set by the palette", async () => {
    const { SettingFields } = (await import(drawing)) as {
      readonly SettingFields: FunctionComponent<{ readonly settings: ReadonlyArray<Setting> }>
    }
    const panel = () => renderToStaticMarkup(createElement(SettingFields, { settings: [added] }))
    const chosen = () => /aria-checked="true"[^>]*>([^<]+)/.exec(panel())?.[1]
    for (const text of ["Density", "Roomy", "Dense"]) assert.include(panel(), `>${text}<`)
    assert.strictEqual(chosen(), "Roomy")
    const actions = settingActions([added])
    const [first] = find("density dense", actions)
    assert.deepInclude(first, { id: "density-dense", title: "Density: dense", section: "Settings" })
    first!.run()
    assert.strictEqual(chosen(), "Dense")
    assert.lengthOf(find("compact", actions), 2)
  })
})
