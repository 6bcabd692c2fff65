import { useAllActions } from "../registry/actions.ts"
import { Keys } from "../ui/Keys.tsx"
import { Panel } from "../ui/Panel.tsx"

const Help = ({ onClose }: { readonly onClose: () => void }) => {
  const actions = useAllActions().filter(({ keys }) => keys !== undefined)
  const sections = [...new Set(actions.map(({ section }) => section))]
  return (
    <Panel title="Keys" isOpen onClose={onClose}>
      <div className="help">
        {sections.map((section) => (
          <section key={section}>
            <h3>{section}</h3>
            <ul>
              {actions
                .filter((action) => action.section === section)
                .map(({ id, keys, title }) => (
                  <li key={id}>
                    <span>{title}</span>
                    <span className="hidden-text">{keys}</span>
                    <Keys of={keys!} />
                  </li>
                ))}
            </ul>
          </section>
        ))}
      </div>
    </Panel>
  )
}
export default Help
