import type { OpenAI } from 'openai'
import type { AnswerDelta } from '../engine/runner.ts'
import { pause } from '../engine/waiting.ts'
import { sha256 } from '../host/random.ts'
import { type ErrorCode, HoldfastError, isHoldfastError } from '../model/errors.ts'
import type { AssistantMessage, Message } from '../model/messages.ts'
import type { Usage } from '../model/turns.ts'
import { AnswerBuilder, type AnswerChunk, showsSomething } from './answer.ts'
import type { Endpoint } from './endpoint.ts'
import { failureOf } from './failures.ts'
import { planRetry } from './retry.ts'

export interface Question {
  /** Names the question in the log and spreads its retries. */
  id: string
  messages: readonly Message[]
  /** Further fields of the request. */
  params: Readonly<Record<string, unknown>>
  signal: AbortSignal
  /** Somebody reads along: after the first words the answer is not begun again. */
  streaming: boolean
}

/** Who is told what happens to a question. */
export interface Listener {
  delta(delta: AnswerDelta): void
  /** What was told by `delta` is void. */
  restart(): void
  note(text: string): void
}

export interface Answer {
  message: AssistantMessage
  finishReason: string
  usage: Usage | null
}

/** Much less than the stall limit of a turn. */
const noteEveryMs = 5_000

/**
 * Asks until there is an answer, the failure is one that stays, or the limits are reached.
 * @throws HoldfastError one of the MODEL_ codes; the signal's reason when it was aborted
 */
export async function askModel(endpoint: Endpoint, question: Question, listener: Listener): Promise<Answer> {
  const { clock, log, retry } = endpoint
  const fromMs = clock.steadyMs()
  for (let attempts = 1; ; attempts += 1) {
    const told = { anything: false, words: false }
    try {
      return await askOnce(endpoint, question, (delta) => {
        told.anything = true
        told.words ||= showsSomething(delta)
        listener.delta(delta)
      })
    } catch (error) {
      if (question.signal.aborted) throw question.signal.reason
      const failure = failureOf(error, clock.nowMs())
      if (forgoUsage(endpoint, failure)) {
        attempts -= 1
        continue
      }
      const plan = planRetry(
        {
          code: failure.code,
          retryAfterMs: failure.retryAfterMs,
          attempts,
          elapsedMs: clock.steadyMs() - fromMs,
          shown: question.streaming && told.words,
          jitter: jitterOf(question.id, attempts),
        },
        retry,
      )
      const facts = { question: question.id, code: failure.code, status: failure.facts.status, attempts }
      if (plan.kind === 'stop') {
        log.warn({ ...facts, because: plan.because }, 'the model gave no answer')
        throw failure
      }
      log.info({ ...facts, delayMs: plan.delayMs }, 'the model is asked again')
      if (told.anything) listener.restart()
      await waitToRetry(endpoint, failure.code, plan.delayMs, question.signal, listener)
      listener.note(`asks the model, call ${attempts + 1}`)
    }
  }
}

/** A pause is no stall: it says now and then that it goes on. */
async function waitToRetry(
  { clock }: Endpoint,
  code: ErrorCode,
  delayMs: number,
  signal: AbortSignal,
  listener: Listener,
): Promise<void> {
  for (let leftMs = delayMs; leftMs > 0; leftMs -= noteEveryMs) {
    listener.note(`${code}: asks the model again in ${leftMs} ms`)
    if (!(await pause(clock, Math.min(leftMs, noteEveryMs), signal))) throw signal.reason
  }
}

async function askOnce(endpoint: Endpoint, question: Question, tell: (delta: AnswerDelta) => void): Promise<Answer> {
  const { client, clock, quietLimitMs } = endpoint
  const over = new AbortController()
  const signal = AbortSignal.any([question.signal, over.signal])
  let heardMs = clock.steadyMs()
  const quiet = new HoldfastError('MODEL_TIMEOUT', { quietLimitMs })
  const watching = watchQuiet(endpoint, () => heardMs, over, signal, quiet)
  try {
    const stream = await client.chat.completions.create(bodyOf(endpoint, question), { signal })
    const answer = new AnswerBuilder()
    for await (const chunk of stream) {
      heardMs = clock.steadyMs()
      const delta = answer.add(chunk as unknown as AnswerChunk)
      if (delta !== null) tell(delta)
    }
    // The package ends an aborted stream as if it were complete; without a finish_reason it is not.
    const { finishReason } = answer
    if (finishReason === null)
      throw new HoldfastError('MODEL_MALFORMED', { because: 'it ended without a finish_reason' })
    if (answer.empty) throw new HoldfastError('MODEL_EMPTY', { finishReason })
    return { message: answer.message, finishReason, usage: answer.usage }
  } catch (error) {
    if (over.signal.aborted) throw quiet
    throw error
  } finally {
    over.abort()
    await watching
  }
}

async function watchQuiet(
  { clock, quietLimitMs }: Endpoint,
  heardMs: () => number,
  over: AbortController,
  signal: AbortSignal,
  quiet: HoldfastError,
): Promise<void> {
  for (;;) {
    const leftMs = heardMs() + quietLimitMs - clock.steadyMs()
    if (leftMs <= 0) return over.abort(quiet)
    if (!(await pause(clock, leftMs, signal))) return
  }
}

function bodyOf(endpoint: Endpoint, question: Question): OpenAI.ChatCompletionCreateParamsStreaming {
  const { stream_options: given, ...params } = question.params
  const options = endpoint.asksForUsage ? { include_usage: true, ...(given as object | undefined) } : given
  return {
    ...params,
    model: endpoint.model,
    messages: question.messages,
    stream: true,
    ...(options === undefined ? {} : { stream_options: options }),
  } as unknown as OpenAI.ChatCompletionCreateParamsStreaming
}

/** True once for a server that refuses a request because of `stream_options`. */
function forgoUsage(endpoint: Endpoint, failure: HoldfastError): boolean {
  const refused =
    isHoldfastError(failure, 'MODEL_REJECTED') && String(failure.facts.providerMessage).includes('stream_options')
  if (!endpoint.asksForUsage || !refused) return false
  endpoint.asksForUsage = false
  endpoint.log.info({ model: endpoint.model }, 'the model does not report token counts of streams')
  return true
}

/** The same for the same call, so that a log can be followed. */
function jitterOf(id: string, attempts: number): number {
  return Number.parseInt(sha256(`${id}:${attempts}`).slice(0, 8), 16) / 2 ** 32
}
