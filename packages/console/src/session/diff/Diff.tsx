import { useMemo } from "react"
import { diffOf } from "./diff.logic.ts"
import { DiffView } from "./DiffView.tsx"

/** Two texts as what changed between them. */
const Diff = (props: {
  readonly before: string
  readonly after: string
  /** The line of the file at which they begin; null where nobody knows. */
  readonly first?: number | null
  /** The file that they are of. */
  readonly path?: string | null
}) => {
  const { after, before, first = 1, path = null } = props
  const lines = useMemo(() => diffOf(before, after, first), [after, before, first])
  return <DiffView lines={lines} path={path} />
}
export default Diff
