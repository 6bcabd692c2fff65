import { Radio } from "@base-ui/react/radio"
import { RadioGroup } from "@base-ui/react/radio-group"
import { logOut } from "../api/me.ts"
import { Panel } from "../ui/Panel.tsx"
import { setTheme, type Theme, themes, useTheme } from "./theme.ts"

const titles: Readonly<Record<Theme, string>> = { system: "Like the system", light: "Light", dark: "Dark" }

const SettingsPanel = ({ onClose }: { readonly onClose: () => void }) => {
  const theme = useTheme()
  return (
    <Panel
      title="Settings"
      isOpen
      onClose={onClose}
      footer={
        <button type="button" className="button" onClick={() => void logOut()}>
          Sign out
        </button>
      }
    >
      <div className="field">
        <span className="label" id="theme">
          Theme
        </span>
        <RadioGroup
          className="segments"
          aria-labelledby="theme"
          value={theme}
          onValueChange={(value) => setTheme(value as Theme)}
        >
          {themes.map((one) => (
            <Radio.Root key={one} value={one} className="segment">
              {titles[one]}
            </Radio.Root>
          ))}
        </RadioGroup>
      </div>
    </Panel>
  )
}
export default SettingsPanel
