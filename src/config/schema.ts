import { z } from 'zod'
import { defaultSettings } from '../engine/settings.ts'
import { logLevels } from '../host/log.ts'
import { busyPolicies } from '../model/turns.ts'
import { homesSection } from './homes.ts'
import {
  choice,
  duration,
  listOfWords,
  section,
  share,
  size,
  spellDuration,
  spellSize,
  variableName,
  webAddress,
  wholeNumber,
  words,
  yesOrNo,
} from './leaves.ts'
import { upkeepSections } from './upkeep.ts'

/**
 * `holdfast.json5`: JSON with comments. Every key may be left out. Durations (`90s`) are milliseconds and sizes
 * (`10mb`) are bytes after reading. Defaults of the engine are the engine's own, so that both never differ.
 */

const { turns, context, compaction } = defaultSettings
const port = 4747
const bodyMaxBytes = 20 * 1024 ** 2
const diskReserveBytes = 64 * 1024 ** 2 // room to settle what runs and to read-only in good order
const drainMs = 30_000 // a supervisor that kills sooner loses nothing: what it cuts short runs again
const secondMs = 1_000

const server = section({
  host: words('an address or name to listen on, such as "127.0.0.1"')
    .prefault('127.0.0.1')
    .describe('The address to listen on. Anything but loopback needs `tokenEnv`.'),
  port: wholeNumber(0, 65_535).prefault(port).describe('The port to listen on; 0 takes a free one.'),
  tokenEnv: variableName()
    .nullable()
    .prefault(null)
    .describe('The environment variable that holds the bearer token. When set, everything but /healthz needs it.'),
  allowedHosts: listOfWords('a host name, with or without a port')
    .prefault([])
    .describe('More names that a Host or Origin header may have; loopback names and the bound address always may.'),
  bodyMax: size(1024).prefault(spellSize(bodyMaxBytes)).describe('The longest request body.'),
})

const model = section({
  url: webAddress()
    .nullable()
    .prefault(null)
    .describe('The base address of an OpenAI-compatible server. null: the built-in demo model.'),
  name: words('a model name')
    .nullable()
    .prefault(null)
    .describe('The model to ask that server for. Needed with `url`.'),
  apiKeyEnv: variableName().nullable().prefault(null).describe('The environment variable that holds its API key.'),
  aliases: listOfWords('a model name')
    .prefault(['holdfast'])
    .describe('Other names under which clients may ask for this model.'),
  contextWindow: wholeNumber(1_024, 100_000_000)
    .prefault(context.windowTokens)
    .describe('Tokens that the model can take, answer included.'),
  answerTokens: wholeNumber(1, 100_000_000)
    .prefault(context.answerTokens)
    .describe('Tokens of the context window that are kept free for the answer.'),
})

const summaries = section({
  enabled: yesOrNo().prefault(compaction.enabled).describe('Whether summaries are made in the background.'),
  model: section({
    url: webAddress().nullable().prefault(null).describe('Base address; null: the one of `model.url`.'),
    name: words('a model name').nullable().prefault(null).describe('Model name; null: the one of `model.name`.'),
    apiKeyEnv: variableName()
      .nullable()
      .prefault(null)
      .describe('The environment variable of its API key; null: the one of `model.apiKeyEnv`.'),
  })
    .prefault({})
    .describe('The model that writes summaries.'),
  softShare: share().prefault(context.softShare).describe('Share of the context at which a summary is made.'),
  keepShare: share().prefault(context.keepShare).describe('Share of the context that stays word for word.'),
  timeLimit: duration(secondMs).prefault(spellDuration(compaction.timeLimitMs)).describe('For one summary.'),
  concurrency: wholeNumber(1, 64)
    .prefault(compaction.concurrency)
    .describe('Summaries in the making at once, over all sessions.'),
  failuresMax: wholeNumber(1, 100)
    .prefault(compaction.failuresMax)
    .describe('Failures in a row before a mechanical summary is made.'),
  backoffFirst: duration(1)
    .prefault(spellDuration(compaction.backoffMs.first))
    .describe('Wait after the first failure; it doubles with each.'),
  backoffMax: duration(1).prefault(spellDuration(compaction.backoffMs.max)).describe('The longest such wait.'),
})

const turnLimits = section({
  timeLimit: duration(secondMs)
    .prefault(spellDuration(turns.timeLimitMs))
    .describe('A whole turn, retries of the model included.'),
  stallLimit: duration(secondMs)
    .prefault(spellDuration(turns.stallLimitMs))
    .describe('A turn without any sign of progress is ended after this.'),
  grace: duration(1)
    .prefault(spellDuration(turns.graceMs))
    .describe('How long a runner may take to stop before it is fenced off.'),
  attempts: wholeNumber(1, 100)
    .prefault(turns.attemptsMax)
    .describe('Starts of one turn over all restarts; then it is quarantined.'),
  coalesceWindow: duration(1)
    .prefault(spellDuration(turns.coalesceMs))
    .describe('How long a turn waits for more messages under the policy `coalesce`.'),
  queuedPerSession: wholeNumber(1, 1_000_000)
    .prefault(turns.queuedMax.session)
    .describe('Turns that may wait in one session.'),
  queuedTotal: wholeNumber(1, 100_000_000).prefault(turns.queuedMax.total).describe('Turns that may wait in all.'),
  onBusy: choice(busyPolicies)
    .prefault('queue')
    .describe('What a new message does when its session is busy and the request does not say.'),
})

export const configSchema = section({
  $schema: words('a text').optional().describe('For editors; not used.'),
  data: words('a directory')
    .optional()
    .describe(
      'The data directory, relative to this file. Default: ./.holdfast, relative to where holdfast is started.',
    ),
  server: server.prefault({}).describe('Where and to whom the gateway listens.'),
  model: model.prefault({}).describe('The model that answers.'),
  turns: turnLimits.prefault({}).describe('Limits of turns and of the queue.'),
  ...upkeepSections,
  compaction: summaries.prefault({}).describe('Summaries that keep long sessions inside the context window.'),
  store: section({
    url: words('an address such as "postgres://gateway@db.example.org/agents"')
      .nullable()
      .prefault(null)
      .describe(
        'A store in PostgreSQL, which several gateways may share. null: SQLite in the data directory. A password belongs in PGPASSWORD or PGPASSFILE.',
      ),
    diskReserve: size(0)
      .prefault(spellSize(diskReserveBytes))
      .describe('Below this much free disk the store is read-only until there is room again.'),
  })
    .prefault({})
    .describe('The database.'),
  cluster: section({
    advertise: webAddress()
      .nullable()
      .prefault(null)
      .describe('Where other gateways on the same store reach this one. null: the address that it listens on.'),
  })
    .prefault({})
    .describe('Several gateways on one store.'),
  log: section({
    level: choice(logLevels).prefault('info').describe('Nothing that people wrote is logged above debug.'),
  })
    .prefault({})
    .describe('The log, on standard error.'),
  homes: homesSection
    .prefault({})
    .describe('Homes of OpenClaw gateways, for `holdfast keep` and the commands that look after homes.'),
  shutdown: section({
    drain: duration(0).prefault(spellDuration(drainMs)).describe('How long running turns may finish at shutdown.'),
  })
    .prefault({})
    .describe('The end of the process.'),
})

/** What `configSchema` makes of a file: nothing is optional, durations in milliseconds, sizes in bytes. */
export type ConfigValues = z.output<typeof configSchema>

/** JSON Schema (draft 2020-12) of `holdfast.json5`, for editors and for `holdfast config schema`. */
export function configJsonSchema(): object {
  return z.toJSONSchema(configSchema, { io: 'input' })
}
