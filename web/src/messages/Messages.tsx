import { Title } from '../ui/parts'

export default function Messages() {
  return <Title>Messages</Title>
}
