import { createElement } from "react"
import { renderToStaticMarkup } from "react-dom/server"
import { assert, describe, it } from "vitest"
import { find } from "../../src/app/palette.logic.ts"
import { SettingFields } from "../../src/app/SettingFields.tsx"
import { type Setting, settingActions, settings } from "../../src/registry/settings.ts"

describe("a setting of the registry", () => {
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
  const panel = () => renderToStaticMarkup(createElement(SettingFields, { settings: [added] }))
  const chosen = () => /aria-checked="true"[^>]*>([^<]+)/.exec(panel())?.[1]

  it("is drawn by the panel, and found and set by the palette", () => {
    for (const text of ["Density", "Roomy", "Dense"]) assert.include(panel(), `>${text}<`)
    assert.strictEqual(chosen(), "Roomy")
    const actions = settingActions([...settings, added])
    const [first] = find("density dense", actions)
    assert.deepInclude(first, { id: "density-dense", title: "Density: dense", section: "Settings" })
    first!.run()
    assert.strictEqual(chosen(), "Dense")
    assert.lengthOf(find("compact", actions), 2)
  })

  it("has an id of its own, and so has each of its ways", () => {
    const ids = settingActions(settings).map(({ id }) => id)
    assert.strictEqual(new Set(ids).size, ids.length)
    assert.include(ids, "theme-dark")
  })
})
