import { Title } from '../ui/parts'

export default function People() {
  return <Title>People</Title>
}
