import { useEffect, useRef, useState } from 'preact/hooks'
import { useLocation } from 'wouter-preact'
import { ask, type Schemas } from '../api/client'
import { Field, fieldError } from '../ui/field'
import { tell } from '../ui/toast'
import { bilingual, useWords } from '../words/language'
import { Actions } from './Actions'
import { Audience } from './Audience'
import { ForecastCard } from './ForecastCard'
import { LaunchDialog } from './LaunchDialog'
import { MessageEditor } from './MessageEditor'
import { Phone } from './Phone'
import { bodyOf, hasAudience, type MessageName, type Plan, whenProblem } from './plan'
import { Rehearsal } from './Rehearsal'
import { Schedule } from './Schedule'
import { type Asked, askedAgain } from './sameRequest'
import { isDefinite, launch, type Stored, save } from './store'
import { TestSend } from './TestSend'
import { forgetUnsaved, keepUnsaved } from './unsaved'
import { useForecast } from './useForecast'
import { attributesOf, useSamples } from './useSamples'

const texts = bilingual(
  {
    campaign: 'Campaign',
    name: 'Name',
    nameHint: 'For you and your colleagues; contacts do not see it.',
    empty: 'Must not be empty.',
    audience: 'Choose a category.',
    nobody: 'Nobody would get it: everybody in this audience has opted out.',
    message_1: 'Message 1',
    message_2: 'Message 2',
    about_1: 'goes to everybody in the audience',
    about_2: 'answers whoever replies within 24 hours',
    saved: 'Saved.',
    started: 'The campaign has been launched.',
    planned: 'The campaign has been scheduled.',
  },
  {
    campaign: 'Campagne',
    name: 'Nom',
    nameHint: 'Pour vous et vos collègues\u00a0; les contacts ne le voient pas.',
    empty: 'Ne doit pas être vide.',
    audience: 'Choisissez une catégorie.',
    nobody: 'Personne ne la recevrait\u00a0: tous les contacts de cette audience sont désinscrits.',
    message_1: 'Message 1',
    message_2: 'Message 2',
    about_1: "part à toute l'audience",
    about_2: 'répond à qui réagit sous 24 heures',
    saved: 'Enregistré.',
    started: 'La campagne est lancée.',
    planned: 'La campagne est programmée.',
  },
)

export type Start = {
  plan: Plan
  stored?: Stored
  launch?: Asked
  /** whether the plan says something that is saved nowhere */
  unsaved: boolean
}

/** The form of a campaign, with what will come of it beside it. */
export function Editor({ campaignID, start }: { campaignID: string | undefined; start: Start }) {
  const t = useWords(texts)
  const [, go] = useLocation()
  const [plan, setPlan] = useState(start.plan)
  const [stored, setStored] = useState(start.stored)
  const [busy, setBusy] = useState(false)
  const [refusal, setRefusal] = useState<{ error: unknown; plan: Plan }>()
  const [asking, setAsking] = useState<Schemas['Forecast']>()
  const asked = useRef<{ launch?: Asked; draft?: Asked }>({ launch: start.launch })
  const clean = useRef(start.unsaved ? undefined : start.plan)
  const form = useRef<HTMLDivElement>(null)
  const forecast = useForecast(plan)
  const samples = useSamples(plan)
  const scheduled = stored?.status === 'scheduled'

  const change = (to: Partial<Plan>) => setPlan((now) => ({ ...now, ...to }))
  const keep = (kept: Stored | undefined) =>
    keepUnsaved(campaignID, { plan, stored: campaignID ? undefined : kept, launch: asked.current.launch })
  useEffect(() => {
    if (plan === clean.current) return
    clean.current = undefined
    keep(stored)
  }, [plan])
  useEffect(() => {
    if (!refusal) return
    const wrong = form.current?.querySelector<HTMLElement>('[aria-invalid], #audience-error')
    wrong?.scrollIntoView({ block: 'center' })
    wrong?.focus({ preventScroll: true })
  }, [refusal])

  /** Runs what the server may refuse; undefined if it did, or could not be asked. */
  async function attempt<T>(action: () => Promise<T>): Promise<T | undefined> {
    setBusy(true)
    setRefusal(undefined)
    try {
      return await action()
    } catch (error) {
      setRefusal({ error, plan })
      return undefined
    } finally {
      setBusy(false)
    }
  }
  /** what the server said to a field that still says what it said then */
  const refused = (name: keyof Plan, field: string = name) =>
    refusal && refusal.plan[name] === plan[name] ? fieldError(refusal.error, field) : undefined
  const saved = async () => {
    asked.current.draft = askedAgain(asked.current.draft, bodyOf(plan))
    const now = await save(plan, stored, asked.current.draft)
    setStored(now)
    return now
  }
  const nothingUnsaved = () => {
    forgetUnsaved(campaignID)
    clean.current = plan
  }
  const saveDraft = async () => {
    const now = await attempt(saved)
    if (!now) return
    nothingUnsaved()
    tell(t.saved)
    if (!campaignID) go(`/campaigns/${now.id}/edit`, { replace: true })
  }
  const saveForTest = async () => {
    const now = await attempt(saved)
    if (now && campaignID) nothingUnsaved()
    else if (now) keep(now) // the form goes on where it is, and knows its draft
    return now?.id
  }
  // The server looks at all of it, and tells what would come of it.
  const askBeforeLaunch = async () => {
    const wrong = whenProblem(plan)
    const answer = await attempt(() => ask('post', '/campaigns/forecast', { body: bodyOf(plan) }))
    if (answer && !wrong && (answer.contacts > 0 || plan.when === 'later')) setAsking(answer)
    else if (answer) setRefusal({ error: undefined, plan })
  }
  const run = async () => {
    asked.current.launch = askedAgain(asked.current.launch, bodyOf(plan))
    keep(stored)
    const id = await launch(plan, stored, asked.current.launch).catch((refused) => {
      if (isDefinite(refused)) asked.current.launch = undefined
      throw refused
    })
    forgetUnsaved(campaignID)
    tell(plan.when === 'now' ? t.started : t.planned)
    go(`/campaigns/${id}`)
  }

  const nobody = hasAudience(plan) && forecast.data?.contacts === 0 && refusal?.plan === plan && !refusal.error
  const message = (name: MessageName, about: string) => (
    <MessageEditor
      title={t[name]}
      about={about}
      text={plan[name]}
      media={plan[`${name}_media_url`]}
      variables={attributesOf(samples.contacts)}
      write={(text) => change({ [name]: text })}
      attach={(media) => change({ [`${name}_media_url`]: media })}
      refused={refused(name)}
      mediaRefused={refused(`${name}_media_url`)}
    />
  )
  return (
    <div class="launch" ref={form}>
      <div class="launch-form">
        <section class="card">
          <Field
            label={t.name}
            hint={t.nameHint}
            error={refused('name') && (plan.name.trim() ? refused('name') : t.empty)}
          >
            {(attributes) => (
              <input
                {...attributes}
                value={plan.name}
                maxLength={200}
                onInput={(event) => change({ name: event.currentTarget.value })}
              />
            )}
          </Field>
        </section>
        <Audience
          plan={plan}
          change={change}
          reached={hasAudience(plan) ? forecast.data?.contacts : undefined}
          error={
            nobody
              ? t.nobody
              : refused('category_ids') && !hasAudience(plan)
                ? t.audience
                : (refused('category_ids') ?? refused('contact_ids'))
          }
        />
        {message('message_1', t.about_1)}
        {message('message_2', t.about_2)}
        <TestSend save={saveForTest} scheduled={scheduled} />
        <Schedule
          plan={plan}
          change={change}
          problem={whenProblem(plan)}
          refused={refused('at', 'scheduled_at')}
          assumedRate={forecast.data?.expected_reply_rate}
        />
      </div>
      <aside class="launch-outlook" aria-label={t.campaign}>
        <Phone plan={plan} contacts={samples.contacts} loading={samples.loading} />
        <ForecastCard
          forecast={hasAudience(plan) ? forecast.data : undefined}
          asked={hasAudience(plan)}
          stale={forecast.isPlaceholderData}
          error={forecast.error}
          again={forecast.refetch}
          more={<Rehearsal plan={plan} attempt={attempt} />}
        />
      </aside>
      <div class="launch-actions">
        <Actions
          plan={plan}
          busy={busy}
          scheduled={scheduled}
          refusal={refusal?.plan === plan ? refusal.error : undefined}
          launch={askBeforeLaunch}
          save={saveDraft}
        />
      </div>
      {asking && <LaunchDialog plan={plan} forecast={asking} run={run} close={() => setAsking(undefined)} />}
    </div>
  )
}
