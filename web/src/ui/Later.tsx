import type { ComponentChildren } from 'preact'
import { useEffect, useState } from 'preact/hooks'

/** What is further down a long screen: drawn as soon as the top of it has been painted. */
export function Later({ children }: { children: ComponentChildren }) {
  const [due, setDue] = useState(document.hidden)
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined
    const frame = requestAnimationFrame(() => {
      timer = setTimeout(() => setDue(true))
    })
    return () => {
      cancelAnimationFrame(frame)
      clearTimeout(timer)
    }
  }, [])
  return <>{due && children}</>
}
