import type { RunCommand } from '../../host/commands.ts'
import { HoldfastError } from '../../model/errors.ts'
import { formatCount, formatSize } from '../../model/units.ts'
import type { StepReport } from '../changes/run.ts'
import { rootOf } from '../files/place.ts'
import { lastWords } from '../gateway/answer.ts'
import { askOpenClaw, type OpenClaw } from '../gateway/command.ts'
import type { Home } from '../home/home.ts'
import { rawEntry } from '../index/edit.ts'
import { readIndexText } from '../index/read.ts'

/** Where a session's answers go. */
export interface Route {
  channel: string
  to: string
  accountId: string | null
  threadId: string | null
}

/** So many sessions, the last used first, are asked where their answers go. */
const askedMax = 50
/** The command starts a whole program before it sends. Unit: ms. */
const timeLimitMs = 60_000

/** Of the session that was used last and whose answers go to a channel; null: there is none. */
export async function activeRoute(home: Home, nowMs: number): Promise<Route | null> {
  const found: { usedAtMs: number; raw: string }[] = []
  for (const agent of home.agents) {
    const { facts, text } = await readIndexText(agent, rootOf(home, agent.sessionsDir), nowMs)
    if (text === null) continue
    const latest = facts.entries.toSorted((a, b) => b.usedAtMs - a.usedAtMs).slice(0, askedMax)
    for (const { key, usedAtMs } of latest) {
      found.push({ usedAtMs, raw: rawEntry(text.bytes, text.parsed, key) ?? '{}' })
    }
  }
  found.sort((a, b) => b.usedAtMs - a.usedAtMs)
  for (const { raw } of found) {
    const route = routeIn(raw)
    if (route !== null) return route
  }
  return null
}

/** What an entry says of where its answers go; null where it says nothing, or names no channel that a message can be sent to. */
export function routeIn(raw: string): Route | null {
  const entry: unknown = JSON.parse(raw)
  if (!isRecord(entry)) return null
  const context = isRecord(entry.deliveryContext) ? entry.deliveryContext : {}
  const channel = textIn(context.channel) ?? textIn(entry.lastChannel)
  const to = textIn(context.to) ?? textIn(entry.lastTo)
  if (channel === null || to === null || internal.has(channel)) return null
  const accountId = textIn(context.accountId) ?? textIn(entry.lastAccountId)
  return { channel, to, accountId, threadId: textIn(context.threadId) ?? textIn(entry.lastThreadId) }
}

/** Windows of the gateway itself. */
const internal: ReadonlySet<string> = new Set(['webchat', 'internal', 'cli', 'unknown'])

/** One message, with counts only: whoever reads along in a group learns nothing of other people's sessions. null: there is nothing to warn of. */
export function warningText(steps: readonly StepReport[]): string | null {
  const sessions = steps.filter(({ kind }) => kind === 'drop-entry').length
  const files = steps.filter(({ kind }) => kind.startsWith('archive-') || kind === 'remove-temporary').length
  if (sessions + files === 0) return null
  const bytes = steps.reduce((sum, step) => sum + step.bytes, 0)
  const what = [
    ...(sessions === 0 ? [] : [formatCount(sessions, 'session')]),
    ...(files === 0 ? [] : [formatCount(files, 'file')]),
  ]
  return `Holdfast: ${what.join(' and ')} of this bot (${formatSize(bytes)}) are past their time and wait to be archived. Nothing has been changed. To archive them: holdfast clean --mode enforce`
}

/** The message is on its way to the chat of the session. @throws HoldfastError OPENCLAW_FAILED */
export async function sendWarning(openclaw: OpenClaw, route: Route, text: string, run: RunCommand): Promise<void> {
  const { channel, to, accountId, threadId } = route
  const args = ['message', 'send', '--channel', channel, '--target', to, '--message', text, '--json']
  if (accountId !== null) args.push('--account', accountId)
  if (threadId !== null) args.push('--thread-id', threadId)
  const result = await askOpenClaw(openclaw, args, timeLimitMs, run)
  if (result.code !== 0)
    throw new HoldfastError('OPENCLAW_FAILED', { because: `\`openclaw message send\`: ${lastWords(result)}` })
}

function textIn(value: unknown): string | null {
  if (typeof value === 'number') return String(value)
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : null
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
