import { Title } from '../ui/parts'

export default function Categories() {
  return <Title>Categories</Title>
}
