import { Title } from '../ui/parts'

export default function Campaigns() {
  return <Title>Campaigns</Title>
}
