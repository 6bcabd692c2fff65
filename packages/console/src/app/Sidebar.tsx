import { CircleHelp, Search, Settings, SquarePen } from "lucide-react"
import { type Page, pages } from "../registry/pages.ts"
import { Keys } from "../ui/Keys.tsx"
import { WorkspaceLink } from "./links.tsx"
import { Mark } from "./Mark.tsx"
import { show } from "./overlay.ts"

const sections = [...new Set(pages.flatMap(({ menu }) => (menu === undefined ? [] : [menu.section])))]

const Count = ({ of }: { readonly of: () => number }) => {
  const count = of()
  return count === 0 ? null : (
    <span className="count number" aria-label={`${count} waiting`}>
      {count > 99 ? "99+" : count}
    </span>
  )
}

const PageLink = ({ onGo, page }: { readonly page: Page; readonly onGo: (() => void) | undefined }) => {
  const { icon: Icon, useCount } = page.menu!
  return (
    <WorkspaceLink
      to={page.path}
      className="sidebar-link"
      activeProps={{ className: "here", "aria-current": "page" }}
      onClick={onGo}
    >
      <Icon size={15} strokeWidth={1.9} aria-hidden />
      <span>{page.title}</span>
      {useCount === undefined ? null : <Count of={useCount} />}
    </WorkspaceLink>
  )
}

export const Sidebar = ({ onGo }: { readonly onGo?: () => void }) => {
  return (
    <nav className="sidebar" aria-label="Workspace">
      <div className="sidebar-top">
        <Mark size={20} />
        <strong>Troupe</strong>
        <WorkspaceLink className="button quiet only-icon" to="sessions/new" aria-label="New session" onClick={onGo}>
          <SquarePen size={15} />
        </WorkspaceLink>
      </div>
      <button type="button" className="sidebar-search" onClick={() => show("palette")}>
        <Search size={14} aria-hidden />
        <span>Search or run</span>
        <Keys of="mod+k" />
      </button>
      {sections.map((section) => (
        <div key={section} className="sidebar-section">
          {section === "" ? null : <h2>{section}</h2>}
          <ul>
            {pages
              .filter(({ menu }) => menu?.section === section)
              .map((page) => (
                <li key={page.id}>
                  <PageLink page={page} onGo={onGo} />
                </li>
              ))}
          </ul>
        </div>
      ))}
      <div className="sidebar-foot">
        <button type="button" className="button quiet only-icon" aria-label="Settings" onClick={() => show("settings")}>
          <Settings size={15} />
        </button>
        <button
          type="button"
          className="button quiet only-icon"
          aria-label="Keys and help"
          onClick={() => show("help")}
        >
          <CircleHelp size={15} />
        </button>
      </div>
    </nav>
  )
}
