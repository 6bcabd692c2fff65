import { CircleHelp, Search, Settings, SquarePen } from "lucide-react"
import { pages } from "../registry/pages.ts"
import { Keys } from "../ui/Keys.tsx"
import { WorkspaceLink } from "./links.tsx"
import { Mark } from "./Mark.tsx"
import { show } from "./overlay.ts"

const sections = [...new Set(pages.flatMap(({ menu }) => (menu === undefined ? [] : [menu.section])))]

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
              .map(({ id, menu, path, title }) => {
                const Icon = menu!.icon
                return (
                  <li key={id}>
                    <WorkspaceLink
                      to={path}
                      className="sidebar-link"
                      activeProps={{ className: "here", "aria-current": "page" }}
                      onClick={onGo}
                    >
                      <Icon size={15} strokeWidth={1.9} aria-hidden />
                      <span>{title}</span>
                    </WorkspaceLink>
                  </li>
                )
              })}
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
