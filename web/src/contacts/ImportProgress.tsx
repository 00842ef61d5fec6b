import { Title } from '../ui/parts'

export default function ImportProgress() {
  return <Title>ImportProgress</Title>
}
