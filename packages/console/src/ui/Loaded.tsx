import type { ReactNode } from "react"
import { Skeleton } from "./Empty.tsx"
import { Problem } from "./Problem.tsx"

interface Asked<A> {
  readonly data: A | undefined
  readonly error: Error | null
  readonly refetch: () => unknown
}

/** What the server was asked for: on its way, there, or why it is not. What was there before stays, with what is wrong above it. */
export const Loaded = <A,>(props: {
  readonly of: Asked<A>
  /** Lines that are drawn where it is not there yet. */
  readonly rows?: number
  /** Within a column, which has its own edges. */
  readonly isInset?: boolean
  readonly children: (data: A) => ReactNode
}) => {
  const { children, isInset = false, of, rows } = props
  const { data, error, refetch } = of
  return (
    <>
      {error === null ? null : (
        <div className={isInset ? undefined : "above"}>
          <Problem error={error} onRetry={() => void refetch()} />
        </div>
      )}
      {data !== undefined ? (
        children(data)
      ) : error !== null ? null : rows === undefined ? (
        <Skeleton />
      ) : (
        <Skeleton rows={rows} />
      )}
    </>
  )
}
