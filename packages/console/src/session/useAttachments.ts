import { useCallback, useState } from "react"
import { troupe } from "../api/troupe.ts"
import { Refused } from "../ui/problem.logic.ts"
import { type Attached, isTaken, refusal } from "./attachments.logic.ts"

/** Files on their way into a message: uploaded as soon as they are chosen, so that sending it is quick. */
export const useAttachments = () => {
  const [files, setFiles] = useState<ReadonlyArray<Attached>>([])
  const [uploading, setUploading] = useState(0)
  const [problem, setProblem] = useState<unknown>(null)
  const add = useCallback(async (given: ReadonlyArray<File>) => {
    const why = refusal(given)
    setProblem(why === null ? null : new Refused(why))
    const taken = given.filter(({ type }) => isTaken(type))
    setUploading((now) => now + taken.length)
    for (const file of taken) {
      try {
        const { id } = await troupe.files.upload({ name: file.name, content: file })
        setFiles((now) => [...now, { id, name: file.name, mediaType: file.type }])
      } catch (error) {
        setProblem(error)
      } finally {
        setUploading((now) => now - 1)
      }
    }
  }, [])
  const remove = useCallback((id: string) => setFiles((now) => now.filter((one) => one.id !== id)), [])
  const clear = useCallback(() => setFiles([]), [])
  return { files, uploading, problem, add, remove, clear }
}
