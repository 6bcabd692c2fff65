import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router"
import { type ComponentProps, useCallback } from "react"

export const useWorkspace = (): string =>
  useParams({ strict: false, select: ({ workspace }: { workspace?: string }) => workspace }) ?? "default"

type Place = { readonly to: string; readonly search?: Readonly<Record<string, unknown>> }
type WorkspaceLinkProps = Omit<ComponentProps<"a">, "href"> &
  Place & { readonly activeProps?: { readonly className: string; readonly "aria-current"?: "page" } }

/** A link to a page of this workspace. */
export const WorkspaceLink = ({ search = {}, to, ...rest }: WorkspaceLinkProps) => {
  const workspace = useWorkspace()
  return <Link {...(rest as object)} to={`/w/${workspace}/${to}`} search={search as never} />
}

/** Goes to a page of this workspace. */
export const useGo = () => {
  const workspace = useWorkspace()
  const navigate = useNavigate()
  return useCallback(
    (
      to: string,
      { replace = false, search = {} }: { search?: Readonly<Record<string, unknown>>; replace?: boolean } = {}
    ) => void navigate({ to: `/w/${workspace}/${to}`, search: search as never, replace }),
    [navigate, workspace]
  )
}

/** What stands behind the `?` of this page's address, and a way to change some of it in place. */
export const usePlace = (): readonly [
  Readonly<Record<string, string | undefined>>,
  (change: Readonly<Record<string, string | undefined>>) => void
] => {
  const navigate = useNavigate()
  const search = useSearch({ strict: false }) as Readonly<Record<string, string | undefined>>
  const change = useCallback(
    (some: Readonly<Record<string, string | undefined>>) =>
      void navigate({
        to: ".",
        search: ((now: object) => ({ ...now, ...some })) as never,
        replace: true
      }),
    [navigate]
  )
  return [search, change]
}
