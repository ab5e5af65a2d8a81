import { basename, join } from 'node:path'
import { isHoldfastError } from '../../../model/errors.ts'
import { readLines } from '../../files/lines.ts'
import { listDirectory } from '../../files/list.ts'
import { openInside } from '../../files/open.ts'
import { readSmall } from '../../files/text.ts'
import type { AgentHome } from '../../home/home.ts'
import { fileSessionId, kindOfName } from '../../home/names.ts'
import { indexBytesMax } from '../parse.ts'
import { type Named, namedByRun, namedByTrajectory, OwnStatus } from './evidence.ts'
import type { Binding, Copy, RebuildFacts, TranscriptThere } from './plan.ts'
import { salvage } from './salvage.ts'

/** All copies of one index together, the newest first: more is not held in memory. Unit: bytes. */
const copiesBytesMax = indexBytesMax

/** A line that is longer tells nothing of what is looked for. Unit: bytes. */
const lineBytesMax = 1024 ** 2
/** Events of a trajectory have at most a quarter of this. Unit: bytes. */
const tailBytes = 1024 ** 2

/**
 * What a new index of this agent could be made from. Nothing is changed. A file that cannot be read tells nothing, and its transcript is
 * told as one that nothing is known of.
 * @throws HoldfastError HOME_UNREADABLE, HOME_UNSAFE where the sessions directory itself cannot be looked into
 */
export async function collectRebuild(agent: AgentHome, root: string, nowMs: number): Promise<RebuildFacts> {
  const listed = (await listDirectory(root, agent.sessionsDir)) ?? []
  const files = listed.filter(({ what }) => what === 'file')
  const mtimeMs = ({ identity }: (typeof files)[number]) => Number(identity.mtimeNs / 1_000_000n)
  const indexName = basename(agent.indexPath)
  const transcripts: TranscriptThere[] = []
  const trajectories = new Set<string>()
  const copies: Copy[] = []
  let copied = 0n
  for (const file of files.toSorted((a, b) => mtimeMs(b) - mtimeMs(a))) {
    const { kind, sessionId } = kindOfName(file.name, indexName)
    if (kind === 'transcript') transcripts.push({ name: file.name, sessionId, mtimeMs: Math.min(mtimeMs(file), nowMs) })
    if (kind === 'trajectory') trajectories.add(file.name)
    if (!mayBeCopy(file.name, kind, indexName) || copied + file.identity.bytes > copiesBytesMax) continue
    copied += file.identity.bytes
    const copy = await readCopy(agent, root, file.name, nowMs)
    if (copy !== null) copies.push(copy)
  }
  const named = new Set(copies.flatMap(({ entries }) => entries.flatMap(({ read }) => read.transcripts)))
  const others = transcripts.filter(({ name }) => !named.has(name))
  const bindings = await bindingsOf(agent, root, others, trajectories)
  return { copies, transcripts, bindings }
}

/** Whatever is named after the index: rotations, temporary files, what was set aside as corrupt, and copies that people have made. */
function mayBeCopy(name: string, kind: string, indexName: string): boolean {
  if (kind === 'index') return true
  const stem = indexName.replace(/\.json$/, '')
  return name.startsWith(stem) && ['index-backup', 'index-temporary', 'corrupt', 'temporary', 'unknown'].includes(kind)
}

async function readCopy(agent: AgentHome, root: string, name: string, nowMs: number): Promise<Copy | null> {
  const file = await orNull(readSmall(root, join(agent.sessionsDir, name), indexBytesMax))
  if (file === null) return null
  return { name, isIndex: name === basename(agent.indexPath), ...(await salvage(file.data, agent, nowMs)) }
}

/** Which session each of these transcripts is of, where a gateway has written that down. A file that cannot be read tells nothing. */
export async function bindingsOf(
  agent: AgentHome,
  root: string,
  transcripts: readonly Pick<TranscriptThere, 'name' | 'sessionId'>[],
  trajectories: ReadonlySet<string>,
): Promise<Binding[]> {
  const runs = await runsOf(agent, root)
  const bindings: Binding[] = []
  for (const { name, sessionId } of transcripts) {
    const trajectory = name.replace(/\.jsonl$/, '.trajectory.jsonl')
    const run = sessionId === null ? undefined : runs.get(sessionId)
    const binding =
      (trajectories.has(trajectory) ? await byTrajectory(agent, root, name, trajectory) : null) ??
      (run === undefined ? null : { ...run.named, transcript: name, origin: { from: 'cron-run', name: run.name } }) ??
      (await byTranscript(agent, root, name))
    if (binding !== null && fileSessionId.test(binding.sessionId)) bindings.push(binding)
  }
  return bindings
}

async function byTrajectory(
  agent: AgentHome,
  root: string,
  transcript: string,
  trajectory: string,
): Promise<Binding | null> {
  using file = await orNull(openInside(root, join(agent.sessionsDir, trajectory)))
  if (file === null) return null
  const tail = Buffer.alloc(Math.min(tailBytes, file.bytes))
  const read = (await orNull(file.read(tail, file.bytes - tail.length))) ?? 0
  const named = namedByTrajectory(tail.toString('utf8', 0, read).split('\n'), agent.id)
  return named === null ? null : { ...named, transcript, origin: { from: 'trajectory', name: trajectory } }
}

async function byTranscript(agent: AgentHome, root: string, name: string): Promise<Binding | null> {
  const status = new OwnStatus(agent.id)
  await eachLine(root, join(agent.sessionsDir, name), (line) => status.take(line))
  const { key, id, hasParent } = status
  if (key === null || id === null || hasParent) return null
  return { key, sessionId: id, transcript: name, origin: { from: 'transcript', name } }
}

/** Runs of scheduled jobs by the id of their session. */
async function runsOf(agent: AgentHome, root: string): Promise<Map<string, { named: Named; name: string }>> {
  const folder = join(root, 'cron', 'runs')
  const found = new Map<string, { named: Named; name: string }>()
  for (const { name, what } of (await orNull(listDirectory(root, folder))) ?? []) {
    if (what !== 'file' || !name.endsWith('.jsonl')) continue
    await eachLine(root, join(folder, name), (line) => {
      const named = namedByRun(line, agent.id)
      if (named !== null) found.set(named.sessionId, { named, name })
    })
  }
  return found
}

async function eachLine(root: string, path: string, take: (line: string) => void): Promise<void> {
  using file = await orNull(openInside(root, path))
  if (file === null) return
  const read = async () => {
    for await (const { data } of readLines(file, { lineBytesMax })) if (data !== null) take(data.toString())
  }
  await orNull(read())
}

/** Null for a file that is absent, cannot be read, is no file or changes all the time: it tells nothing. */
async function orNull<T>(reading: Promise<T>): Promise<T | null> {
  try {
    return await reading
  } catch (error) {
    if (isHoldfastError(error) && unreadable.includes(error.code)) return null
    throw error
  }
}

const unreadable: readonly string[] = ['HOME_UNREADABLE', 'HOME_UNSAFE', 'HOME_CHANGED']
