import type { Entry, EventBody, NewEntry } from '../model/entries.ts'
import type { Job, JobSpec } from '../model/jobs.ts'
import type { Message, SystemMessage } from '../model/messages.ts'
import type { Inbound, TurnRequest } from '../model/turns.ts'
import type { StoredInbound, StoredRequestText } from './rows/inbound.ts'
import type { StoredJob } from './rows/jobs.ts'
import type { NewStoredEntry, StoredEntry } from './rows/rows.ts'

/** Between the model's objects and the JSON text that crosses threads and lies in the database. */

export const entriesToStore = (entries: readonly NewEntry[]): NewStoredEntry[] =>
  entries.map((entry) => ({ ...entry, body: JSON.stringify(entry.body) }))

export const entryToModel = (entry: StoredEntry): Entry => ({
  ...entry,
  body: JSON.parse(entry.body) as Message | EventBody,
})

export const requestToStore = (request: TurnRequest): StoredRequestText => ({
  instructions: JSON.stringify(request.instructions),
  params: JSON.stringify(request.params),
  streaming: request.streaming,
  deliverTo: request.deliverTo ?? null,
})

export const requestToModel = (request: StoredRequestText): TurnRequest => ({
  instructions: JSON.parse(request.instructions) as SystemMessage[],
  params: JSON.parse(request.params) as Record<string, unknown>,
  streaming: request.streaming,
  ...(request.deliverTo === null ? {} : { deliverTo: request.deliverTo }),
})

export const inboundToModel = ({ dedupeKey, messages, atMs }: StoredInbound): Inbound => ({
  dedupeKey,
  messages: JSON.parse(messages) as Message[],
  atMs,
})

export const jobToStore = ({ messages, instructions, params, deliverTo, ...job }: JobSpec) => ({
  ...job,
  content: JSON.stringify({ messages, instructions, params, deliverTo }),
})

export const jobToModel = ({ content, ...job }: StoredJob): Job => ({
  ...job,
  ...(JSON.parse(content) as Pick<Job, 'messages' | 'instructions' | 'params' | 'deliverTo'>),
})
