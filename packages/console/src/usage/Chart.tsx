import { useEffect, useRef, useState } from "react"
import { type Bar, type Metric, topOf } from "./usage.logic.ts"

const height = 170
const foot = 18
const left = 52
/** As the style sheet has it. */
const padding = 20
const labelEvery = 76

const label = (day: string) =>
  new Date(`${day}T00:00:00Z`).toLocaleDateString("en", { month: "short", day: "numeric", timeZone: "UTC" })

/** One bar a day. What it shows is in the table below it as well, for those who can't see it. */
export const Chart = ({ bars, metric }: { readonly bars: ReadonlyArray<Bar>; readonly metric: Metric }) => {
  const box = useRef<SVGSVGElement>(null)
  const [width, setWidth] = useState(720)
  useEffect(() => {
    const svg = box.current
    if (svg === null) return
    const watch = new ResizeObserver(() => setWidth(Math.max(240, svg.clientWidth - 2 * padding)))
    watch.observe(svg)
    return () => watch.disconnect()
  }, [])
  const top = topOf(bars.map(({ value }) => value))
  const step = (width - left) / bars.length
  const wide = Math.min(28, step * 0.7)
  const tall = height - foot - 8
  const every = Math.ceil((bars.length * labelEvery) / width)
  return (
    <svg
      ref={box}
      className="chart"
      viewBox={`0 0 ${width} ${height}`}
      role="img"
      aria-label={`${metric.title} by day`}
    >
      {[0, 0.5, 1].map((part) => (
        <g key={part} transform={`translate(0 ${8 + tall * (1 - part)})`}>
          <line x1={left} x2={width} className="grid" />
          <text x={left - 8} y={3} textAnchor="end">
            {metric.text(top * part)}
          </text>
        </g>
      ))}
      {bars.map(({ day, value }, index) => {
        const x = left + step * index + (step - wide) / 2
        const size = value === 0 ? 0 : Math.max(2, (value / top) * tall)
        return (
          <g key={day}>
            <rect x={x} y={8 + tall - size} width={wide} height={size} rx={Math.min(3, wide / 3)} className="bar" />
            <rect x={left + step * index} y={8} width={step} height={tall} className="hit">
              <title>{`${label(day)}: ${metric.text(value)}`}</title>
            </rect>
            {(bars.length - 1 - index) % every === 0 ? (
              <text
                x={index === bars.length - 1 ? width : x + wide / 2}
                y={height - 3}
                textAnchor={index === bars.length - 1 ? "end" : "middle"}
              >
                {label(day)}
              </text>
            ) : null}
          </g>
        )
      })}
    </svg>
  )
}
