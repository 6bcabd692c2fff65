import { useNavigate, useSearch } from "@tanstack/react-router"
import { type FormEvent, useCallback, useEffect, useRef, useState } from "react"
import { logIn } from "../api/me.ts"
import { Problem } from "../ui/Problem.tsx"
import { explainLogin, pathAfter, tokenIn } from "./login.logic.ts"
import { Mark } from "./Mark.tsx"
import { rememberWanted, takeWanted } from "./wanted.ts"
import "./login.css"

/** Where one-time links lead, and where an API key can be given. */
export const LoginPage = () => {
  const navigate = useNavigate()
  const { then } = useSearch({ strict: false }) as { readonly then?: string }
  const [key, setKey] = useState("")
  const [refused, setRefused] = useState<{ readonly by: "key" | "link"; readonly error: unknown } | null>(null)
  const [isBusy, setBusy] = useState(false)

  const enter = useCallback(
    async (secret: Parameters<typeof logIn>[0]) => {
      setBusy(true)
      setRefused(null)
      try {
        const { workspace } = await logIn(secret)
        const wanted = takeWanted()
        await navigate({ href: pathAfter(then ?? wanted, workspace.id), replace: true })
      } catch (error) {
        setRefused({ by: "token" in secret ? "link" : "key", error })
      } finally {
        setBusy(false)
      }
    },
    [navigate, then]
  )

  useEffect(() => {
    if (then !== undefined) rememberWanted(then)
  }, [then])

  // A link works once: its token leaves the address before anything is made of it. It may also be opened on this very page.
  const isTaken = useRef(false)
  useEffect(() => {
    const take = () => {
      const token = tokenIn(window.location.hash)
      if (token === null || isTaken.current) return
      isTaken.current = true
      window.history.replaceState(null, "", `/login${window.location.search}`)
      void enter({ token }).then(() => {
        isTaken.current = false
      })
    }
    take()
    window.addEventListener("hashchange", take)
    return () => window.removeEventListener("hashchange", take)
  }, [enter])

  const submit = (event: FormEvent) => {
    event.preventDefault()
    void enter({ api_key: key.trim() })
  }

  return (
    <main className="login">
      <form onSubmit={submit}>
        <h1>
          <Mark size={26} /> Troupe
        </h1>
        <div className="field">
          <label htmlFor="key">API key</label>
          <input
            id="key"
            className="input mono"
            type="password"
            autoComplete="current-password"
            spellCheck={false}
            autoFocus
            value={key}
            onChange={(event) => setKey(event.target.value)}
          />
          <span className="hint">
            <code>npm start</code> prints a link that needs none, and says where yours is.
          </span>
        </div>
        {refused === null ? null : <Problem error={refused.error} explainedBy={explainLogin(refused.by)} />}
        <button type="submit" className="button first" disabled={isBusy || key.trim() === ""}>
          {isBusy ? "Logging in …" : "Log in"}
        </button>
      </form>
    </main>
  )
}
