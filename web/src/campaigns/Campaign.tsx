import { Title } from '../ui/parts'

export default function Campaign() {
  return <Title>Campaign</Title>
}
