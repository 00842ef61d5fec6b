import { Problem, type Schemas, signedOut, UNREACHABLE } from '../api/client'

/** Sends a file of contacts. fetch does not tell how far it has got, so this is an XMLHttpRequest. */
export function upload(
  file: File,
  query: Record<string, string | undefined>,
  progress: (share: number) => void,
): { done: Promise<Schemas['Import']>; stop: () => void } {
  const request = new XMLHttpRequest()
  const done = new Promise<Schemas['Import']>((resolve, reject) => {
    const chosen = Object.entries(query).filter((entry): entry is [string, string] => Boolean(entry[1]))
    request.open('POST', `/contacts/import?${new URLSearchParams(chosen)}`)
    request.setRequestHeader('Content-Type', 'text/csv')
    request.responseType = 'json'
    request.upload.onprogress = ({ loaded, total }) => progress(total > 0 ? loaded / total : 0)
    request.onload = () => {
      if (request.status < 300) return resolve(request.response)
      if (request.status === 401) signedOut.dispatchEvent(new Event('signedout'))
      reject(new Problem(request.status, request.response ?? undefined))
    }
    request.onerror = () => reject(new Problem(UNREACHABLE, undefined))
    request.onabort = () => reject(new DOMException('stopped', 'AbortError'))
    request.send(file)
  })
  return { done, stop: () => request.abort() }
}
