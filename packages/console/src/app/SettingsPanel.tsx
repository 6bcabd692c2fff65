import { logOut } from "../api/me.ts"
import { settings } from "../registry/settings.ts"
import { Panel } from "../ui/Panel.tsx"
import { SettingFields } from "./SettingFields.tsx"

const SettingsPanel = ({ onClose }: { readonly onClose: () => void }) => (
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
    <SettingFields settings={settings} />
  </Panel>
)
export default SettingsPanel
