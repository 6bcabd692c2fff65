import react from "@vitejs/plugin-react"
import { defineConfig } from "vite"

/** While developing, requests go on to a node: its door knows no other origin than its own. */
const node = process.env["TROUPE_SERVER_URL"] ?? "http://127.0.0.1:4777"
const proxy = { "/v1": { target: node, changeOrigin: true, headers: { origin: node }, ws: true } }

export default defineConfig({
  root: import.meta.dirname,
  plugins: [react()],
  server: { proxy },
  preview: { proxy },
  build: {
    target: "es2023",
    // Nothing is inlined, so that the content policy needs no exceptions.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false
  }
})
