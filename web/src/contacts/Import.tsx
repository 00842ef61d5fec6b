import { Title } from '../ui/parts'

export default function Import() {
  return <Title>Import</Title>
}
