import { Title } from '../ui/parts'

export default function Overview() {
  return <Title>Overview</Title>
}
