import type { Config } from '../../config/read.ts'
import type { Runner, Summarizer } from '../../engine/runner.ts'
import type { Clock } from '../../host/clock.ts'
import type { Log } from '../../host/log.ts'
import { HoldfastError } from '../../model/errors.ts'
import { demoRunner } from '../../provider/demo.ts'
import { openaiRunner } from '../../provider/openai.ts'
import { openaiSummarizer } from '../../provider/summarize.ts'

type Env = Readonly<Record<string, string | undefined>>

/** Who answers turns and writes summaries under this configuration. */
export interface ConfiguredModels {
  run: Runner
  /** Null: summaries are mechanical. */
  summarize: Summarizer | null
  name: string
  aliases: readonly string[]
  demo: boolean
  url: string | null
}

/** A silent model is asked again before its turn counts as stalled, and only while there is time for an answer. */
const quietShare = 0.8
const retryShare = 0.5

export function modelsOf({ model, compaction, turns }: Config, env: Env, clock: Clock, log: Log): ConfiguredModels {
  const { url, name, aliases } = model
  if (url === null || name === null) {
    return { run: demoRunner, summarize: null, name: 'demo', aliases, demo: true, url: null }
  }
  const own = compaction.model
  const apiKey = secretOf(env, model.apiKeyEnv)
  const quietLimitMs = turns.stallLimit * quietShare
  const limits = { quietLimitMs, retry: { budgetMs: turns.timeLimit * retryShare }, clock, log }
  const summarizer = {
    baseUrl: own.url ?? url,
    model: own.name ?? name,
    apiKey: own.apiKeyEnv === null ? apiKey : secretOf(env, own.apiKeyEnv),
    clock,
    log,
  }
  return {
    run: openaiRunner({ baseUrl: url, model: name, apiKey, ...limits }),
    summarize: openaiSummarizer(summarizer),
    name,
    aliases,
    demo: false,
    url,
  }
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
