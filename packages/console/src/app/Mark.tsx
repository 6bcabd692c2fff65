/** Three on a stage, one in the light. */
export const Mark = ({ size }: { readonly size: number }) => (
  <svg width={size} height={size} viewBox="0 0 24 24" aria-hidden>
    <circle cx="7.4" cy="15.8" r="4.6" fill="currentColor" />
    <circle cx="16.6" cy="15.8" r="4.6" fill="currentColor" opacity="0.45" />
    <circle cx="12" cy="7.6" r="4.6" fill="var(--stage)" />
  </svg>
)
