import { useQuery } from '@tanstack/preact-query'
import type { ComponentChildren } from 'preact'
import { Link } from 'wouter-preact'
import type { Schemas } from '../api/client'
import { one } from '../api/queries'
import { Failure, Moment, Skeleton } from '../ui/parts'
import { useFormat } from '../words/format'
import { bilingual, useWords } from '../words/language'
import { CourseChart } from './CourseChart'
import { recipientsOf } from './links'
import { showRecipients } from './Recipients'

const texts = bilingual(
  {
    title: 'How it has run',
    speed: 'Speed',
    perHour: (n: string) => `${n} an hour`,
    waiting: 'Waiting to be sent',
    end: 'Complete at about',
    lasted: 'It took',
  },
  {
    title: 'Comment elle s’est déroulée',
    speed: 'Vitesse',
    perHour: (n: string) => `${n} par heure`,
    waiting: 'En attente d’envoi',
    end: 'Fin prévue vers',
    lasted: 'Durée',
  },
)

/** Speed and expected end of a campaign, and what left and came back when. */
export function Course({ campaign, moving }: { campaign: Schemas['Campaign']; moving: boolean }) {
  const t = useWords(texts)
  const format = useFormat()
  const { id } = campaign
  const course = useQuery({
    ...one('/campaigns/{id}/course', { params: { path: { id } } }),
    refetchInterval: moving ? 4_000 : false,
  })
  const { data } = course
  const start = Date.parse(campaign.started_at ?? '')
  const end = Date.parse(campaign.completed_at ?? data?.at ?? '')
  return (
    <section class="card" aria-labelledby="course">
      <header>
        <h2 id="course">{t.title}</h2>
        <dl class="row pace">
          {moving ? (
            <>
              <Fact name={t.speed}>
                {data?.message_1_per_hour != null ? t.perHour(format.number(Math.round(data.message_1_per_hour))) : '–'}
              </Fact>
              <Fact name={t.waiting}>
                <Link href={recipientsOf(id, { state: 'pending' })} onClick={showRecipients}>
                  {data ? format.number(data.waiting) : '–'}
                </Link>
              </Fact>
              <Fact name={t.end}>{data?.completes_at ? <Moment at={data.completes_at} /> : '–'}</Fact>
            </>
          ) : (
            <Fact name={t.lasted}>{end >= start ? format.duration((end - start) / 1_000) : '–'}</Fact>
          )}
        </dl>
      </header>
      <div class="course">
        {data ? (
          <CourseChart course={data} start={start} end={end} />
        ) : course.error ? (
          <Failure error={course.error} again={course.refetch} />
        ) : (
          <Skeleton lines={1} height={280} />
        )}
      </div>
    </section>
  )
}

function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd class="number">{children}</dd>
    </div>
  )
}
