import { useQuery } from "@tanstack/react-query"
import { Cpu, Plus } from "lucide-react"
import { useState } from "react"
import * as queries from "../api/queries.ts"
import { listAsked } from "../app/copies.logic.ts"
import { PageHeader } from "../app/PageHeader.tsx"
import { CopyButton } from "../ui/CopyButton.tsx"
import { Empty } from "../ui/Empty.tsx"
import { Loaded } from "../ui/Loaded.tsx"
import { CardPanel } from "./CardPanel.tsx"
import { Cards } from "./Cards.tsx"

const ModelsPage = () => {
  const models = useQuery(queries.models)
  const [isMaking, setMaking] = useState(false)
  return (
    <>
      <PageHeader title="Models" asked={listAsked("models", "models", "models")}>
        <button type="button" className="button first" onClick={() => setMaking(true)}>
          <Plus size={14} /> New card
        </button>
      </PageHeader>
      <div className="page-body" tabIndex={0} role="region" aria-label="Models">
        <Cards />
        <Loaded of={models}>
          {(data) =>
            data.length === 0 ? (
              <Empty icon={Cpu} title="No model can be reached">
                <p>Models are what the connected runners can reach. Give one a key, and start it again:</p>
                <pre>ANTHROPIC_API_KEY=… npm start</pre>
              </Empty>
            ) : (
              <table className="table">
                <thead>
                  <tr>
                    <th>Models of runners</th>
                    <th className="optional">Called</th>
                    <th aria-label="Actions" />
                  </tr>
                </thead>
                <tbody>
                  {data.map(({ display_name, id }) => (
                    <tr key={id}>
                      <td className="wide">
                        <code>{id}</code>{" "}
                        {id === "demo" ? <span className="badge warn">a stand-in that needs no key</span> : null}
                      </td>
                      <td className="soft optional">{display_name}</td>
                      <td className="right">
                        <CopyButton label={`Copy ${id}`} text={id} />
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            )
          }
        </Loaded>
      </div>
      {isMaking ? <CardPanel card={null} onClose={() => setMaking(false)} /> : null}
    </>
  )
}
export default ModelsPage
