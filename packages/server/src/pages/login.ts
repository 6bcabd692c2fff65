import { page } from "./html.ts"

const script = `
const form = document.querySelector("form"), said = document.querySelector("[role=status]")
const send = async (body) => {
  said.textContent = "One moment"
  try {
    const response = await fetch("/v1/login", {
      method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body)
    })
    if (response.ok) return location.replace("/")
    const answer = await response.json()
    said.textContent = answer.error.message + " (" + answer.request_id + ")"
  } catch { said.textContent = "The server can't be reached" }
}
form.addEventListener("submit", (event) => {
  event.preventDefault()
  send({ api_key: form.elements.key.value.trim() })
})
const token = location.hash.slice(1)
if (token !== "") {
  history.replaceState(null, "", "/login")
  send({ token })
}
`

/** Where one-time links lead, and where an API key can be given. */
export const login = page(
  "Log in to Troupe",
  `<main class="small">
<h1>Troupe</h1>
<p role="status">Open the link that <code>npm start</code> printed, or give an API key.</p>
<form>
<label for="key">API key</label>
<input id="key" name="key" type="password" autocomplete="current-password" required spellcheck="false">
<button>Log in</button>
</form>
<noscript><p>This page needs JavaScript.</p></noscript>
</main>`,
  script
)
