// Keeps one page for the time in which the node can't be reached, so that an installed console says so instead of the browser.
// Nothing of anybody's work is kept, and nothing but pages that are opened passes here.
const kept = "unreachable-1"
const files = ["/unreachable.html", "/unreachable.js", "/icon.svg"]

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(kept).then((cache) => cache.addAll(files)))
  self.skipWaiting()
})

self.addEventListener("activate", (event) => {
  const others = async () => {
    for (const name of await caches.keys()) if (name !== kept) await caches.delete(name)
    await self.clients.claim()
  }
  event.waitUntil(others())
})

self.addEventListener("fetch", (event) => {
  const { mode, url } = event.request
  const { pathname } = new URL(url)
  if (mode === "navigate") event.respondWith(fetch(event.request).catch(() => caches.match(files[0])))
  else if (files.includes(pathname)) event.respondWith(fetch(event.request).catch(() => caches.match(pathname)))
})
