import { useNavigate, useSearch } from "@tanstack/react-router"
import { type FormEvent, useState } from "react"
import { ApiProblem } from "../api/ApiProblem.ts"
import { keepKey } from "../api/identity.ts"
import { forgetCaller, workspaceOfCaller } from "../api/me.ts"
import { Problem } from "../ui/Problem.tsx"
import { Mark } from "./Mark.tsx"
import "./login.css"

export const LoginPage = () => {
  const navigate = useNavigate()
  const { then } = useSearch({ strict: false }) as { readonly then?: string }
  const [key, setKey] = useState("")
  const [problem, setProblem] = useState<unknown>(null)
  const [isBusy, setBusy] = useState(false)

  const enter = async (event: FormEvent) => {
    event.preventDefault()
    setBusy(true)
    keepKey(key.trim())
    forgetCaller()
    try {
      if ((await workspaceOfCaller()) === null) {
        throw new ApiProblem(401, "authentication_error", "This key opens nothing here.", null)
      }
      // Only ever a path of this console.
      await navigate({ to: (then?.startsWith("/w/") === true ? then : "/") as never, replace: true })
    } catch (error) {
      keepKey(null)
      setProblem(error)
    } finally {
      setBusy(false)
    }
  }

  return (
    <main className="login">
      <form onSubmit={enter}>
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
            autoFocus
            value={key}
            onChange={(event) => setKey(event.target.value)}
          />
          <span className="hint">
            <code>npm start</code> says where yours is. It stays in this tab and is gone when you close it.
          </span>
        </div>
        {problem === null ? null : <Problem error={problem} />}
        <button type="submit" className="button first" disabled={isBusy || key.trim() === ""}>
          {isBusy ? "Signing in …" : "Sign in"}
        </button>
      </form>
    </main>
  )
}
