import { useEffect, useState } from 'preact/hooks'

/** A value once it has not changed for a moment. */
export function useSettled<T>(value: T, moment = 300): T {
  const [settled, setSettled] = useState(value)
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), moment)
    return () => clearTimeout(timer)
  }, [value, moment])
  return settled
}
