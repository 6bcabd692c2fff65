import { lazy, Suspense, useState } from "react"
import { Ago } from "./Ago.tsx"

const Diff = lazy(() => import("../session/diff/Diff.tsx"))

export interface Version {
  readonly version: number
  /** Null where nobody made it. */
  readonly at: string | null
  readonly text: string
}

/** Versions of something, the newest first, and what each changed of the one before. */
export const Versions = ({ versions }: { readonly versions: ReadonlyArray<Version> }) => {
  const [chosen, setChosen] = useState(versions[0]?.version ?? 0)
  const shown = versions.find(({ version }) => version === chosen)
  const before = versions.find(({ version }) => version === chosen - 1)
  return (
    <div className="versions">
      <ul>
        {versions.map(({ at, version }) => (
          <li key={version}>
            <button
              type="button"
              className={version === chosen ? "version here" : "version"}
              aria-pressed={version === chosen}
              onClick={() => setChosen(version)}
            >
              Version {version} {at === null ? null : <Ago at={Date.parse(at)} />}
            </button>
          </li>
        ))}
      </ul>
      <div>
        <p className="soft">
          {before === undefined ? "The first version." : `What version ${chosen} changed of version ${chosen - 1}.`}
        </p>
        {shown === undefined ? null : (
          <Suspense>
            <Diff before={before?.text ?? ""} after={shown.text} />
          </Suspense>
        )}
      </div>
    </div>
  )
}
