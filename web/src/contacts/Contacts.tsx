import { Title } from '../ui/parts'

export default function Contacts() {
  return <Title>Contacts</Title>
}
