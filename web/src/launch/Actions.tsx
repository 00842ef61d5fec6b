import { Problem } from '../api/client'
import { useReason } from '../ui/parts'
import { bilingual, useWords } from '../words/language'
import type { Plan } from './plan'

const texts = bilingual(
  {
    launch: 'Launch…',
    schedule: 'Schedule…',
    draft: 'Save as a draft',
    fields: 'Not yet: see what is said at the fields above.',
  },
  {
    launch: 'Lancer…',
    schedule: 'Programmer…',
    draft: 'Enregistrer comme brouillon',
    fields: 'Pas encore\u00a0: voyez ce qui est dit aux champs ci-dessus.',
  },
)

/** What can be done with the plan, and why it could not. */
export function Actions(props: {
  plan: Plan
  busy: boolean
  scheduled: boolean
  /** what the server said to this very plan */
  refusal: unknown
  launch: () => void
  save: () => void
}) {
  const t = useWords(texts)
  const reason = useReason()
  const atFields = props.refusal instanceof Problem && Object.keys(props.refusal.fields).length > 0
  return (
    <>
      <p class="error" role="alert">
        {props.refusal !== undefined && (atFields ? t.fields : reason(props.refusal))}
      </p>
      <div class="actions">
        <button type="button" class="button main" disabled={props.busy} onClick={props.launch}>
          {props.plan.when === 'later' ? t.schedule : t.launch}
        </button>
        {!props.scheduled && (
          <button type="button" class="button" disabled={props.busy} onClick={props.save}>
            {t.draft}
          </button>
        )}
      </div>
    </>
  )
}
