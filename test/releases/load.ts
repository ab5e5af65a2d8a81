import { randomUUID } from 'node:crypto'
import type { Gateway } from './gateway.ts'
import type { RememberingModel } from './model.ts'

/** One who talks to the gateway, turn after turn. */
export interface Talk {
  key: string
  /** What was said since the session began or was last reset; a model has to see all of it. */
  said: string[]
}

export interface LoadReport {
  turns: number
  resets: number
  /** What somebody asked and did not get, one line each. */
  failures: string[]
  /** The last session of each who talked. */
  talks: Talk[]
}

export interface LoadPlan {
  /** Who talk at the same time. */
  talkers: number
  forMs: number
  /** Turns until somebody begins a new session. */
  turnsEach: number
}

const answerMs = { min: 100, spread: 200 }

/**
 * Several talk to the gateway at the same time; each goes on to a new session now and then, and the first one has the gateway reset
 * theirs as well. A turn that gives no answer, or for which the model was not shown all that was said before, is a failure.
 */
export async function talkTo(gateway: Gateway, model: RememberingModel, plan: LoadPlan): Promise<LoadReport> {
  const report: LoadReport = { turns: 0, resets: 0, failures: [], talks: [] }
  const endMs = Date.now() + plan.forMs
  const vary = setInterval(() => {
    model.delayMs = answerMs.min + Math.random() * answerMs.spread
  }, 20)
  const one = async (talker: number) => {
    let talk = newTalk(talker)
    for (let turn = 1; Date.now() < endMs; turn += 1) {
      await say(gateway, model, talk, `${talker} says ${randomUUID()}`, report)
      if (Date.now() >= endMs) break
      if (talker === 0 && turn % 3 === 0) await reset(gateway, talk, report)
      else if (turn % plan.turnsEach === 0) talk = newTalk(talker)
    }
    report.talks.push(talk)
  }
  await Promise.all(Array.from({ length: plan.talkers }, (_, talker) => one(talker)))
  clearInterval(vary)
  model.delayMs = 0
  return report
}

const newTalk = (talker: number): Talk => ({
  key: `agent:main:telegram:direct:${talker}-${randomUUID().slice(0, 8)}`,
  said: [],
})

/** Says one thing more in this session. A failure is written into the report. */
export async function say(
  gateway: Gateway,
  model: RememberingModel,
  talk: Talk,
  text: string,
  report: Pick<LoadReport, 'turns' | 'failures'>,
): Promise<void> {
  talk.said.push(text)
  report.turns += 1
  const { status, reply } = await gateway
    .turn(talk.key, text)
    .catch((error: Error) => ({ status: 0, reply: error.message }))
  if (status !== 200 || !reply.includes(text.slice(-200)))
    report.failures.push(`${talk.key}: ${status} ${reply.slice(0, 300)}`)
  const shown = model.asked.findLast((asked) => asked.shown.some((line) => line.includes(text)))?.shown.join('\n') ?? ''
  const missing = talk.said.filter((each) => !plain(shown).includes(plain(each)))
  if (missing.length > 0)
    report.failures.push(
      `${talk.key}: the model did not see ${JSON.stringify(missing)} of ${talk.said.length} messages`,
    )
}

/** A gateway makes a space of a tab. */
const plain = (text: string) => text.replaceAll(/\s+/g, ' ')

async function reset(gateway: Gateway, talk: Talk, report: LoadReport): Promise<void> {
  const { code, text } = await gateway.cli(
    'gateway',
    'call',
    'sessions.reset',
    '--params',
    JSON.stringify({ key: talk.key }),
  )
  if (code === 0) report.resets += 1
  else report.failures.push(`${talk.key}: no reset: ${text.slice(-300)}`)
  talk.said = []
}
