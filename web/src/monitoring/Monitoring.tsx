import { Title } from '../ui/parts'

export default function Monitoring() {
  return <Title>Monitoring</Title>
}
