import { Title } from '../ui/parts'

export default function Account() {
  return <Title>Account</Title>
}
