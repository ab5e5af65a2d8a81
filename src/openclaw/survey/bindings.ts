import { join } from 'node:path'
import { listDirectory } from '../files/list.ts'
import { readSmall } from '../files/text.ts'
import type { BindingFile, ThreadBinding } from './around.ts'
import { becauseOf } from './because.ts'

/** Channels that can bind a thread to a session. Source: openclaw 2026.5.18 and 2026.7.1. */
const channels = ['discord', 'telegram', 'matrix', 'slack', 'mattermost', 'msteams']
const fileName = /^thread-bindings.*\.json$/
/** A binding has some 500 bytes. Unit: bytes. */
const bytesMax = 16 * 1024 ** 2

/** The lists of bound threads that are there. One that cannot be read is told, never taken for an empty one. */
export async function readBindings(homeDir: string): Promise<BindingFile[]> {
  const files: BindingFile[] = []
  for (const channel of channels) {
    const folder = join(homeDir, channel)
    try {
      const listed = (await listDirectory(homeDir, folder)) ?? []
      const names = listed.filter(({ name }) => fileName.test(name)).map(({ name }) => name)
      for (const name of names) files.push(await readFile(homeDir, join(folder, name)))
    } catch (error) {
      files.push({ path: folder, state: { unreadable: becauseOf(error, folder) }, bindings: [] })
    }
  }
  return files
}

async function readFile(homeDir: string, path: string): Promise<BindingFile> {
  try {
    const file = await readSmall(homeDir, path, bytesMax)
    const bindings = file === null ? [] : bindingsIn(file.data.toString('utf8'))
    if (bindings === null) return { path, state: { unreadable: 'it is no list of bindings' }, bindings: [] }
    return { path, state: 'read', bindings }
  } catch (error) {
    return { path, state: { unreadable: becauseOf(error, path) }, bindings: [] }
  }
}

/** `bindings` is an object by thread (Discord) or a list. Those without a session are dropped by a gateway too. null: it is no such file. */
export function bindingsIn(text: string): ThreadBinding[] | null {
  const parsed = parse(text)
  if (typeof parsed !== 'object' || parsed === null || !('bindings' in parsed)) return null
  if (!('version' in parsed) || parsed.version !== 1) return null
  const { bindings } = parsed
  if (typeof bindings !== 'object' || bindings === null) return null
  return Object.values(bindings).flatMap((each): ThreadBinding[] => {
    if (typeof each !== 'object' || each === null) return []
    const { targetSessionKey, sessionKey, boundAt, lastActivityAt } = each as Record<string, unknown>
    const key = targetSessionKey ?? sessionKey
    if (typeof key !== 'string' || key.trim() === '') return []
    return [{ key: key.trim(), usedAtMs: Math.max(timeOf(boundAt), timeOf(lastActivityAt)) }]
  })
}

function timeOf(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : 0
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}
