import { useState } from 'preact/hooks'
import { Icon } from '../ui/icons'

/** What a message carries: the picture, or the name of what cannot be shown here. */
export function Media({ address }: { address: string }) {
  const [unseen, setUnseen] = useState(false)
  const url = webAddress(address)
  if (url && !unseen)
    return <img class="media" src={url.href} alt="" referrerpolicy="no-referrer" onError={() => setUnseen(true)} />
  return (
    <p class="media file">
      <Icon name="image" />
      <span>{url?.pathname.split('/').pop() || address}</span>
    </p>
  )
}

function webAddress(text: string): URL | undefined {
  if (!URL.canParse(text)) return undefined
  const url = new URL(text)
  return url.protocol === 'https:' || url.protocol === 'http:' ? url : undefined
}
