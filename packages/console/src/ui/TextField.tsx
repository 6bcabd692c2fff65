/** A line of text with its name above it, and below it what to know of it. */
export const TextField = (props: {
  readonly id: string
  readonly title: string
  readonly hint?: string | undefined
  readonly type?: "password"
  /** Whether it is written to be taken to the letter: nothing is filled in or corrected. */
  readonly isLiteral?: boolean
  readonly list?: string
  readonly maxLength?: number
  readonly required?: boolean
  readonly value: string
  readonly onChange: (value: string) => void
}) => {
  const { hint, id, isLiteral, list, maxLength, onChange, required, title, type, value } = props
  return (
    <div className="field">
      <label htmlFor={id}>{title}</label>
      <input
        id={id}
        className={isLiteral === true ? "input mono" : "input"}
        type={type}
        list={list}
        maxLength={maxLength}
        required={required}
        {...(isLiteral === true ? { autoComplete: "off", spellCheck: false } : {})}
        aria-describedby={hint === undefined ? undefined : `${id}-hint`}
        value={value}
        onChange={(event) => onChange(event.target.value)}
      />
      {hint === undefined ? null : (
        <span id={`${id}-hint`} className="hint">
          {hint}
        </span>
      )}
    </div>
  )
}
