import { Dialog } from "@base-ui/react/dialog"
import { Tooltip } from "@base-ui/react/tooltip"
import { Outlet, useMatches } from "@tanstack/react-router"
import { lazy, Suspense, useEffect, useMemo } from "react"
import { logOut } from "../api/me.ts"
import { pages } from "../registry/pages.ts"
import { type Action, listenToKeys, useActions } from "../registry/actions.ts"
import { settingActions } from "../registry/settings.logic.ts"
import { settings } from "../registry/settings.ts"
import { Skeleton } from "../ui/Empty.tsx"
import { useGo } from "./links.tsx"
import { show, useOverlay } from "./overlay.ts"
import { Sidebar } from "./Sidebar.tsx"
import { useChanges } from "./useChanges.ts"
import "./frame.css"

const Palette = lazy(() => import("./Palette.tsx"))
const Help = lazy(() => import("./Help.tsx"))
const SettingsPanel = lazy(() => import("./SettingsPanel.tsx"))

const useFrameActions = () => {
  const go = useGo()
  const actions = useMemo(
    (): ReadonlyArray<Action> => [
      {
        id: "palette",
        title: "Search or run anything",
        section: "Everywhere",
        keys: "mod+k",
        whileTyping: true,
        run: () => show("palette")
      },
      { id: "help", title: "Keys and help", section: "Everywhere", keys: "?", run: () => show("help") },
      {
        id: "settings",
        title: "Settings",
        section: "Everywhere",
        keys: "mod+,",
        whileTyping: true,
        run: () => show("settings")
      },
      {
        id: "new-session",
        title: "New session",
        section: "Everywhere",
        keys: "c",
        words: "start create",
        run: () => go("sessions/new")
      },
      ...pages.flatMap(({ id, menu, path, title }) =>
        menu === undefined
          ? []
          : [{ id: `go-${id}`, title: `Go to ${title}`, section: "Go", keys: menu.keys, run: () => go(path) }]
      ),
      {
        id: "new-mcp-server",
        title: "Add an MCP server",
        section: "Everywhere",
        words: "create tools",
        run: () => go("mcp/new")
      },
      { id: "new-agent", title: "New agent", section: "Everywhere", words: "create", run: () => go("agents/new") },
      ...settingActions(settings),
      { id: "sign-out", title: "Sign out", section: "Settings", words: "log out", run: () => void logOut() }
    ],
    [go]
  )
  useActions(actions)
}

const useTitle = () => {
  const title = useMatches({ select: (matches) => matches.at(-1)?.staticData.title })
  useEffect(() => {
    document.title = title === undefined ? "Troupe" : `${title} · Troupe`
  }, [title])
}

/** What is around every page: navigation, palette, help and settings, all drawn from registries. */
export const Frame = () => {
  useFrameActions()
  useTitle()
  useEffect(listenToKeys, [])
  useChanges()
  const overlay = useOverlay()
  const close = () => show(null)
  return (
    <Tooltip.Provider>
      <div className="frame">
        <a className="skip" href="#page">
          Skip to the page
        </a>
        <Sidebar />
        <main id="page" tabIndex={-1}>
          <Suspense fallback={<Skeleton />}>
            <Outlet />
          </Suspense>
        </main>
      </div>
      <Dialog.Root open={overlay === "menu"} onOpenChange={(open) => !open && close()}>
        <Dialog.Portal>
          <Dialog.Backdrop className="backdrop" />
          <Dialog.Popup className="drawer" aria-label="Navigation">
            <Sidebar onGo={close} />
          </Dialog.Popup>
        </Dialog.Portal>
      </Dialog.Root>
      <Suspense>
        {overlay === "palette" ? <Palette onClose={close} /> : null}
        {overlay === "help" ? <Help onClose={close} /> : null}
        {overlay === "settings" ? <SettingsPanel onClose={close} /> : null}
      </Suspense>
    </Tooltip.Provider>
  )
}
