import { useEffect, useState } from "react"

/** A value once it has not changed for a moment: what one types is looked for when the word is written. */
export const useSettled = <A>(value: A, ms = 180): A => {
  const [settled, setSettled] = useState(value)
  useEffect(() => {
    const timer = window.setTimeout(() => setSettled(value), ms)
    return () => window.clearTimeout(timer)
  }, [ms, value])
  return settled
}
