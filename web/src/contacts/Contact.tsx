import { Title } from '../ui/parts'

export default function Contact() {
  return <Title>Contact</Title>
}
