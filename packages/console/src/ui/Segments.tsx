/** One of a few, all of them in sight. */
export const Segments = (props: {
  readonly name: string
  readonly value: string
  readonly options: ReadonlyArray<{ readonly id: string; readonly title: string }>
  readonly onChange: (id: string) => void
}) => (
  <div className="segments" role="group" aria-label={props.name}>
    {props.options.map(({ id, title }) => (
      <button
        key={id}
        type="button"
        className={props.value === id ? "segment here" : "segment"}
        aria-pressed={props.value === id}
        onClick={() => props.onChange(id)}
      >
        {title}
      </button>
    ))}
  </div>
)
