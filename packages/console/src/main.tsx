import "@fontsource-variable/inter/wght.css"
import "@fontsource-variable/jetbrains-mono/wght.css"
import "./styles/tokens.css"
import "./styles/base.css"
import "./styles/ui.css"
import { QueryClient, QueryClientProvider } from "@tanstack/react-query"
import { RouterProvider } from "@tanstack/react-router"
import { StrictMode } from "react"
import { createRoot } from "react-dom/client"
import { router } from "./app/router.tsx"
import { applyTheme } from "./app/theme.ts"

applyTheme()
// Browsers have it for pages of this machine and those with TLS alone. While developing, pages come from elsewhere.
if (import.meta.env.PROD) void navigator.serviceWorker?.register("/worker.js").catch(() => undefined)

const client = new QueryClient({
  defaultOptions: {
    // The client below asks again where that may help.
    queries: { staleTime: 2_000, retry: false },
    mutations: { retry: false }
  }
})

createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <QueryClientProvider client={client}>
      <RouterProvider router={router} />
    </QueryClientProvider>
  </StrictMode>
)
