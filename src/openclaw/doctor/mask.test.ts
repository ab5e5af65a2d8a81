import { expect, it } from 'vitest'
import {
  agentFacts,
  entryFacts,
  fileOf,
  healthyAround,
  healthyFacts,
  readIndexOf,
  sessionsDir,
} from '../../../test/openclaw/facts.ts'
import { diagnosisOf } from './diagnosis.ts'
import { masked } from './mask.ts'

const people = ['40382952', '+4917012345678', 'alice@example.org', '!AbCdEf:example.org', 'secret room', 'Müller']
const keys = [
  'agent:main:telegram:direct:40382952',
  'agent:main:whatsapp:acct:direct:+4917012345678',
  'agent:main:openai-user:alice@example.org',
  'agent:main:matrix:channel:!AbCdEf:example.org:thread:secret room',
  'Müller',
]
const index = readIndexOf(keys.map((key, at) => entryFacts(key, `gone${at}`)))
const diagnosis = diagnosisOf(healthyFacts({ agents: [agentFacts({ index })] }), healthyAround(), new Map(), false)

it('takes out what keys tell of people, and leaves what they tell of the gateway', () => {
  const text = JSON.stringify(masked([diagnosis]))
  for (const name of people) expect(text).not.toContain(name)
  const [first] = masked([diagnosis])
  expect(first?.findings[0]?.examples.map(({ key }) => key)).toEqual([
    'agent:main:telegram:direct:* #1',
    'agent:main:whatsapp:*:direct:* #2',
    'agent:main:openai-user:* #3',
    'agent:main:matrix:channel:*:thread:* #4',
    '* #5',
  ])
})

it('gives one session one number, in all homes of a report', () => {
  const [one, other] = masked([diagnosis, diagnosis])
  expect(other?.findings).toEqual(one?.findings)
})

it('leaves a key that tells of nobody', () => {
  const main = readIndexOf([entryFacts('agent:main:main', 'gone')])
  const [only] = masked([
    diagnosisOf(healthyFacts({ agents: [agentFacts({ index: main })] }), healthyAround(), new Map(), false),
  ])
  expect(only?.findings[0]?.examples[0]?.key).toBe('agent:main:main')
})

it('takes the name of a topic out of the name of its file', () => {
  const files = [...agentFacts().files, fileOf('c-topic-secret%20room.jsonl')]
  const facts = healthyFacts({ agents: [agentFacts({ files })] })
  const [only] = masked([diagnosisOf(facts, healthyAround(), new Map(), false)])
  expect(only?.findings[0]?.examples[0]?.path).toBe(`${sessionsDir}/c-topic-*.jsonl`)
})
