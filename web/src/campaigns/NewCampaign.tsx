import { Title } from '../ui/parts'

export default function NewCampaign() {
  return <Title>NewCampaign</Title>
}
