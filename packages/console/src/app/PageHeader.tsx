import { Menu } from "lucide-react"
import type { ReactNode } from "react"
import { show } from "./overlay.ts"

/** The bar above a page: where one is, and what can be done here. */
export const PageHeader = ({ children, title }: { readonly title: ReactNode; readonly children?: ReactNode }) => (
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
    <div className="page-actions">{children}</div>
  </header>
)
