import type { Diagnosis } from './diagnosis.ts'
import type { Example } from './finding.ts'

/**
 * The same without what session keys tell of people: telephone numbers, addresses, names. Of a key its agent, channel and kind stay, and a number
 * that is the same wherever the key stands in these diagnoses: no hash, since telephone numbers are guessed in a minute.
 */
export function masked(diagnoses: readonly Diagnosis[]): Diagnosis[] {
  const numbers = new Map<string, number>()
  const maskedKey = (key: string): string => {
    const number = numbers.get(key) ?? numbers.size + 1
    const shape = shapeOf(key)
    if (shape === key) return key
    numbers.set(key, number)
    return `${shape} #${number}`
  }
  const maskedExample = (example: Example): Example => ({
    ...example,
    key: example.key === null ? null : maskedKey(example.key),
    path: example.path === null ? null : maskedPath(example.path),
  })
  return diagnoses.map((diagnosis) => {
    const { largest } = diagnosis.totals
    const shown = largest === null ? null : { ...largest, path: maskedPath(largest.path) }
    const findings = diagnosis.findings.map((each) => ({ ...each, examples: each.examples.map(maskedExample) }))
    return { ...diagnosis, findings, totals: { ...diagnosis.totals, largest: shown } }
  })
}

/** Words of which keys are made, and channels; everything else in them is somebody's. */
const plain = new Set(
  'agent main global unknown direct dm group channel room thread topic cron run subagent hook heartbeat acp node explicit openai-user telegram discord slack whatsapp signal matrix imessage bluebubbles line feishu msteams mattermost googlechat webchat'.split(
    ' ',
  ),
)

/** `agent:main:telegram:direct:40382952` → `agent:main:telegram:direct:*` */
function shapeOf(key: string): string {
  const segments = key.split(':')
  const isAgent = (at: number) => at === 1 && segments[0] === 'agent'
  const kept = segments.map((segment, at) => (plain.has(segment) || isAgent(at) ? segment : '*'))
  return kept.join(':').replaceAll(/\*(?::\*)+/g, '*')
}

/** A topic's name stands in the name of its transcript. */
function maskedPath(path: string): string {
  return path.replaceAll(/-topic-[^/]*?(?=\.jsonl|$)/g, '-topic-*')
}
