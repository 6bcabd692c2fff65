export declare const buildConsole: (options?: {
  readonly env?: NodeJS.ProcessEnv
  readonly node?: string
}) => { readonly ok: boolean; readonly output: string } | null
