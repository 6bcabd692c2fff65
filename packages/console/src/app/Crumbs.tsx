import type { ReactNode } from "react"
import { WorkspaceLink } from "./links.tsx"

/** The heading of one thing, behind a link to the page of all of its kind. */
export const Crumbs = (props: {
  readonly to: string
  readonly all: string
  readonly name: string
  readonly children?: ReactNode
}) => (
  <nav className="crumbs cut" aria-label="Where this is">
    <WorkspaceLink to={props.to} className="faint">
      {props.all}
    </WorkspaceLink>
    <span className="faint" aria-hidden>
      /
    </span>
    <h1 className="cut">{props.name}</h1>
    {props.children}
  </nav>
)
