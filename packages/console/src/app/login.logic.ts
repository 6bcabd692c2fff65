/** The secret of a one-time link, where the address is one. */
export const tokenIn = (hash: string): string | null => (hash.length > 1 ? hash.slice(1) : null)

/** Where one wanted to go, if that is a page of the workspace that one is let into. */
export const pathAfter = (wanted: string | undefined, workspaceId: string): string =>
  wanted !== undefined && wanted.startsWith(`/w/${workspaceId}/`) ? wanted : "/"
