import type { Config } from '../../config/read.ts'
import type { Runner, Summarizer } from '../../engine/runner.ts'
import type { Clock } from '../../host/clock.ts'
import type { Log } from '../../host/log.ts'
import { HoldfastError } from '../../model/errors.ts'

type Env = Readonly<Record<string, string | undefined>>

/** How the model is called, towards clients and in what people read. */
export interface ModelNames {
  name: string
  aliases: readonly string[]
  demo: boolean
  url: string | null
}

/** A silent model is asked again before its turn counts as stalled, and only while there is time for an answer. */
const quietShare = 0.8
const retryShare = 0.5

export function modelNamesOf(config: Config): ModelNames {
  const { aliases } = config.model
  const asked = askedModel(config)
  if (asked === null) return { name: 'demo', aliases, demo: true, url: null }
  return { name: asked.name, aliases, demo: false, url: asked.url }
}

/** Who answers turns. The client library is loaded only when a model is configured. */
export async function runnerOf(config: Config, env: Env, clock: Clock, log: Log): Promise<Runner> {
  const asked = askedModel(config)
  if (asked === null) return (await import('../../provider/demo.ts')).demoRunner
  const { openaiRunner } = await import('../../provider/openai.ts')
  const { turns, model } = config
  return openaiRunner({
    baseUrl: asked.url,
    model: asked.name,
    apiKey: secretOf(env, model.apiKeyEnv),
    quietLimitMs: turns.stallLimit * quietShare,
    retry: { budgetMs: turns.timeLimit * retryShare },
    clock,
    log,
  })
}

/** Who writes summaries. Null: they are mechanical. */
export async function summarizerOf(config: Config, env: Env, clock: Clock, log: Log): Promise<Summarizer | null> {
  const asked = askedModel(config)
  if (asked === null) return null
  const { openaiSummarizer } = await import('../../provider/summarize.ts')
  const own = config.compaction.model
  return openaiSummarizer({
    baseUrl: own.url ?? asked.url,
    model: own.name ?? asked.name,
    apiKey: secretOf(env, own.apiKeyEnv ?? config.model.apiKeyEnv),
    clock,
    log,
  })
}

/** Null: the demo model. */
function askedModel({ model: { url, name } }: Config): { url: string; name: string } | null {
  return url === null || name === null ? null : { url, name }
}

/** What the variable holds; null when none is named, or when it holds nothing. */
export function secretOf(env: Env, variable: string | null): string | null {
  return variable === null ? null : env[variable] || null
}

/** A gateway without its secrets would start, and then refuse or be refused. @throws HoldfastError CONFIG_INVALID */
export function checkSecrets({ model, compaction, server }: Config, env: Env): void {
  const variables = {
    'server.tokenEnv': server.tokenEnv,
    'model.apiKeyEnv': model.apiKeyEnv,
    'compaction.model.apiKeyEnv': compaction.model.apiKeyEnv,
  }
  for (const [key, variable] of Object.entries(variables)) {
    if (variable === null || secretOf(env, variable) !== null) continue
    throw new HoldfastError('CONFIG_INVALID', { because: `${key}: the environment variable ${variable} is not set` })
  }
}
