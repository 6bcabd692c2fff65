import { Menu } from "lucide-react"
import type { ReactNode } from "react"
import type { Asked } from "./copies.logic.ts"
import { CopyAs } from "./CopyAs.tsx"
import { show } from "./overlay.ts"

/** The bar above a page: where one is, what can be done here, and how one gets the same elsewhere. */
export const PageHeader = (props: {
  readonly title: ReactNode
  readonly asked?: Asked
  readonly children?: ReactNode
}) => {
  const { asked, children, title } = props
  return (
    <header className="page-header">
      <button
        type="button"
        className="button quiet only-icon menu-button"
        aria-label="Navigation"
        onClick={() => show("menu")}
      >
        <Menu size={17} />
      </button>
      {typeof title === "string" ? <h1 className="cut">{title}</h1> : title}
      <div className="page-actions">
        {children}
        {asked === undefined ? null : <CopyAs asked={asked} />}
      </div>
    </header>
  )
}
