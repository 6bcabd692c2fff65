import { Radio } from "@base-ui/react/radio"
import { RadioGroup } from "@base-ui/react/radio-group"
import type { Setting } from "../registry/settings.logic.ts"

const SettingField = ({ setting }: { readonly setting: Setting }) => {
  const { id, options, set, title, useValue } = setting
  const value = useValue()
  return (
    <div className="field">
      <span className="label" id={`setting-${id}`}>
        {title}
      </span>
      <RadioGroup
        className="segments"
        aria-labelledby={`setting-${id}`}
        value={value}
        onValueChange={(next) => set(next as string)}
      >
        {options.map((option) => (
          <Radio.Root key={option.value} value={option.value} className="segment">
            {option.title}
          </Radio.Root>
        ))}
      </RadioGroup>
    </div>
  )
}

export const SettingFields = ({ settings }: { readonly settings: ReadonlyArray<Setting> }) =>
  settings.map((setting) => <SettingField key={setting.id} setting={setting} />)
