import { expect, test } from 'vitest'
import api from '../../../docs/openapi.json'
import { actions, subjectLink } from './actions'

test('every change that the API records has words', () => {
  // Asking how a campaign would run changes nothing, and webhooks are not anybody's.
  const unrecorded = ['post-campaigns-forecast', 'post-campaigns-rehearse', 'post-webhooks-wassenger']
  const changing = Object.values(api.paths as Record<string, Record<string, { operationId: string }>>)
    .flatMap((path) => Object.entries(path))
    .filter(([method]) => method !== 'get')
    .map(([, operation]) => operation.operationId)
    .filter((action) => !unrecorded.includes(action))
  // What hands out or erases personal data is recorded however it is done.
  const besides = ['get-contacts-id-personal-data', 'person-export', 'person-erase']
  expect(Object.values(actions).flat().toSorted()).toEqual([...changing, ...besides].toSorted())
})

test('what was changed can be seen if it is still there and has a screen', () => {
  expect(subjectLink('post-campaigns-id-pause', '1')).toBe('/campaigns/1')
  expect(subjectLink('post-campaigns-start', '1')).toBe('/campaigns/1')
  expect(subjectLink('put-contacts-id', '1')).toBe('/contacts/1')
  expect(subjectLink('post-contacts-import', '1')).toBe('/contacts/imports/1')
  expect(subjectLink('delete-contacts-id', '1')).toBeUndefined()
  expect(subjectLink('post-contacts-id-erase', '1')).toBeUndefined()
  expect(subjectLink('post-categories-id-contacts', '1')).toBeUndefined()
  expect(subjectLink('post-auth-logout', null)).toBeUndefined()
})
