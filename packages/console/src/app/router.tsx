import { createRootRoute, createRoute, createRouter, lazyRouteComponent, redirect } from "@tanstack/react-router"
import { pages, startPage } from "../registry/pages.ts"
import { Frame } from "./Frame.tsx"
import { LoginPage } from "./LoginPage.tsx"
import { NoPage, NotFound } from "./NotFound.tsx"
import { PageFailed } from "./PageFailed.tsx"
import { readSearch, writeSearch } from "./search.logic.ts"
import { whoAmI } from "../api/me.ts"

const root = createRootRoute({ notFoundComponent: NotFound })

const home = createRoute({
  getParentRoute: () => root,
  path: "/",
  beforeLoad: async () => {
    const me = await whoAmI()
    throw me === null
      ? redirect({ to: "/login" as never })
      : redirect({ to: `/w/${me.workspace.id}/${startPage}` as never })
  }
})

const login = createRoute({ getParentRoute: () => root, path: "/login", component: LoginPage })

const workspace = createRoute({
  getParentRoute: () => root,
  path: "/w/$workspace",
  component: Frame,
  notFoundComponent: NoPage,
  beforeLoad: async ({ location, params }) => {
    const me = await whoAmI()
    // A browser is let into one workspace at a time: an address of another one asks for another key.
    if (me?.workspace.id !== params.workspace) {
      throw redirect({ to: "/login" as never, search: { then: location.href } as never })
    }
  }
})

const start = createRoute({
  getParentRoute: () => workspace,
  path: "/",
  beforeLoad: ({ params }) => {
    throw redirect({ to: `/w/${params.workspace}/${startPage}` as never })
  }
})

const ofPages = pages.map((page) =>
  createRoute({
    getParentRoute: () => workspace,
    path: page.path,
    component: lazyRouteComponent(page.load),
    staticData: { title: page.title }
  })
)

declare module "@tanstack/react-router" {
  interface StaticDataRouteOption {
    title?: string
  }
}

export const router = createRouter({
  routeTree: root.addChildren([home, login, workspace.addChildren([start, ...ofPages])]),
  defaultPreload: "intent",
  defaultPreloadDelay: 40,
  defaultErrorComponent: PageFailed,
  parseSearch: readSearch,
  stringifySearch: writeSearch
})
