import { isDeepStrictEqual } from 'node:util'
import type { Entry } from '../../../src/model/entries.ts'
import type { Session } from '../../../src/model/sessions.ts'
import type { VerifyReport } from '../../../src/store/upkeep.ts'
import { type Api, keyOf } from './api.ts'
import { type Kept, problemsOf, type Sent } from './history.ts'

/** What a gateway says of its sessions, collected over all its restarts. */
export class Ledger {
  readonly #kept: Map<string, Kept>

  constructor(sessions: readonly string[]) {
    this.#kept = new Map(sessions.map((session) => [session, { session, entries: [], turns: [], fences: [] }]))
  }

  /** Reads what came since the last time, and judges everything. */
  async problems(api: Api, sent: readonly Sent[]): Promise<string[]> {
    for (const kept of this.#kept.values()) await readOn(api, kept)
    const known = [...this.#kept.values()].filter(({ entries }) => entries.length > 0)
    return [...problemsOf(sent, known), ...(await unverified(api, true))]
  }

  /** Reads everything again: entries are never rewritten, so it must be the same. */
  async problemsOfAll(api: Api, sent: readonly Sent[]): Promise<string[]> {
    const problems = await this.problems(api, sent)
    for (const { session, entries } of this.#kept.values()) {
      const again = entries.length === 0 ? [] : await api.entries(session)
      if (!isDeepStrictEqual(again, entries)) problems.push(`${session}: entries were rewritten`)
    }
    return [...problems, ...(await unverified(api, false))]
  }

  get entries(): Entry[] {
    return [...this.#kept.values()].flatMap(({ entries }) => entries)
  }
}

async function readOn(api: Api, kept: Kept): Promise<void> {
  const { status, body } = await api.send<Session>('GET', `/v1/sessions/${keyOf(kept.session)}`)
  if (status === 404 && kept.entries.length === 0) return
  kept.fences.push(body.fence)
  kept.entries.push(...(await api.entries(kept.session, kept.entries.length)))
  kept.turns = await api.turns(`session=${encodeURIComponent(keyOf(kept.session))}`)
}

async function unverified(api: Api, quick: boolean): Promise<string[]> {
  const { status, body } = await api.post<VerifyReport>('/v1/verify', { quick })
  if (status !== 200) return [`verify answered ${status}: ${JSON.stringify(body)}`]
  return body.checks.flatMap(({ name, problems }) => problems.map((each) => `verify ${name}: ${each}`))
}
