import type { LucideIcon } from "lucide-react"
import type { ReactNode } from "react"

/** Where nothing is yet: what would be here, and how it comes here. */
export const Empty = (props: {
  readonly icon: LucideIcon
  readonly title: string
  readonly children: ReactNode
  readonly actions?: ReactNode
}) => (
  <div className="empty">
    <props.icon size={22} strokeWidth={1.6} aria-hidden />
    <h2>{props.title}</h2>
    {props.children}
    {props.actions === undefined ? null : <div className="actions">{props.actions}</div>}
  </div>
)

export const Skeleton = ({ rows = 6 }: { readonly rows?: number }) => (
  <div className="skeleton" role="status" aria-label="Loading">
    {Array.from({ length: rows }, (_, index) => (
      <span key={index} style={{ width: `${88 - ((index * 17) % 40)}%` }} />
    ))}
  </div>
)
