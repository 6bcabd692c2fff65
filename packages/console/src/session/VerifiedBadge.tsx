import { useQuery } from "@tanstack/react-query"
import { Shield, ShieldAlert, ShieldCheck } from "lucide-react"
import { lazy, Suspense, useState } from "react"
import * as queries from "../api/queries.ts"
import { badgeOf } from "./verify.logic.ts"

const VerifyPanel = lazy(() => import("./VerifyPanel.tsx"))
const icons = { unknown: Shield, good: ShieldCheck, bad: ShieldAlert } as const

/** Up to which event somebody here had the session checked, and the proof behind it. */
export const VerifiedBadge = ({ seen, sessionId }: { readonly sessionId: string; readonly seen: number }) => {
  const [isOpen, setOpen] = useState(false)
  const { data } = useQuery({ ...queries.verified(sessionId), enabled: false })
  const { kind, text, title } = badgeOf(data ?? null, seen)
  const Icon = icons[kind]
  return (
    <>
      <button type="button" className={`verified ${kind}`} title={title} onClick={() => setOpen(true)}>
        <Icon size={13} aria-hidden /> <span className="optional">{text}</span>
        <span className="hidden-text">{title}</span>
      </button>
      {isOpen ? (
        <Suspense>
          <VerifyPanel sessionId={sessionId} onClose={() => setOpen(false)} />
        </Suspense>
      ) : null}
    </>
  )
}
