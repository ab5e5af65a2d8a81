import { countMessage, countRequest } from '../../compaction/meter.ts'
import { sha256 } from '../../host/random.ts'
import { HoldfastError } from '../../model/errors.ts'
import { parseSessionKey, type SessionKey } from '../../model/keys.ts'
import { type LaneName, laneNames, laneOf } from '../../model/lanes.ts'
import type { Message, SystemMessage } from '../../model/messages.ts'
import { cleanJson, jsonDepthMax } from '../../model/text.ts'
import { type BusyPolicy, busyPolicies, type Turn } from '../../model/turns.ts'
import type { AdmitInput } from '../../store/turns.ts'

/** What a caller gives to `submit`. */
export interface SubmitInput {
  /** `alice` means `agent:main:alice`. */
  key: string | SessionKey
  /** What is new: user messages and tool results, not the history. A string is one user message. */
  messages: Message[] | string
  /** Leading system messages, for this turn only. */
  instructions?: SystemMessage[]
  /** Request fields for the model, passed through. */
  params?: Record<string, unknown>
  /** Somebody reads the answer as it is made. */
  streaming?: boolean
  /** A repeat with the same key is the same turn; at most 255 characters. */
  dedupeKey?: string | null
  onBusy?: BusyPolicy
  /** By the kind of the session when absent. */
  lane?: LaneName
  /** Who sends it, for metrics and quotas; at most 64 characters. */
  source?: string
  /** Where the reply is to be sent, in the words of `deliver`. */
  deliverTo?: string[]
}

/** A checked request, all but its id, its time and the limits. */
export type Ask = Omit<AdmitInput, 'turnId' | 'atMs' | 'coalesceMs' | 'coalesceTokensMax' | 'queuedMax'> & {
  /** The meter's count of instructions and params, uncorrected. */
  requestTokens: number
  /** Strings in which lone surrogates were replaced. */
  replaced: number
}

const dedupeKeyLengthMax = 255
const sourceLengthMax = 64
const targetsMax = 16
const targetLengthMax = 255
/** Of one turn, and of its instructions: what a person or a tool says at once. Each is a row to write at its end. */
const messagesMax = 2_000

const newRoles = ['user', 'tool', 'system', 'developer']
const instructionRoles = ['system', 'developer']

/** Parses, cleans and measures. @throws HoldfastError REQUEST_INVALID, SESSION_KEY_INVALID */
export function readAsk(input: SubmitInput): Ask {
  const key = parseSessionKey(input.key)
  const given = typeof input.messages === 'string' ? [{ role: 'user', content: input.messages }] : input.messages
  const counts = [given, input.instructions].map((list) => (Array.isArray(list) ? list.length : 0))
  check(Math.max(...counts) <= messagesMax, `there may be ${messagesMax} new messages, and as many instructions`)
  const { value, replaced, tooDeep } = cleanJson({
    messages: given as Message[],
    instructions: input.instructions ?? [],
    params: input.params ?? {},
  })
  const { messages, instructions, params } = value
  const { dedupeKey = null, source = 'api', onBusy = 'queue', lane = laneOf(key), deliverTo = [] } = input
  check(!tooDeep, `it is nested deeper than ${jsonDepthMax}`)
  check(Array.isArray(messages) && messages.length > 0, 'there is no new message')
  check(
    messages.every((message) => newRoles.includes(message?.role)),
    'a new message must be of a user or a tool',
  )
  check(
    messages.some((message) => message.role === 'user' || message.role === 'tool'),
    'there is no user message',
  )
  check(
    instructions.every((message) => instructionRoles.includes(message?.role)),
    'instructions must be system or developer messages',
  )
  check(dedupeKey === null || isShort(dedupeKey, dedupeKeyLengthMax), 'the dedupe key must have 1 to 255 characters')
  check(isShort(source, sourceLengthMax), 'the source must have 1 to 64 characters')
  check(busyPolicies.includes(onBusy), `onBusy must be one of ${busyPolicies.join(', ')}`)
  check(laneNames.includes(lane), `lane must be one of ${laneNames.join(', ')}`)
  check(
    deliverTo.length <= targetsMax && deliverTo.every((target) => isShort(target, targetLengthMax)),
    `there may be ${targetsMax} delivery targets of 1 to ${targetLengthMax} characters`,
  )
  const request = { instructions, params, streaming: input.streaming === true }
  const tokens = messages.map(countMessage)
  return {
    key,
    lane,
    source,
    dedupeKey,
    digest: sha256(JSON.stringify(value)),
    messages,
    tokens,
    request: deliverTo.length === 0 ? request : { ...request, deliverTo },
    onBusy,
    requestTokens: countRequest(request),
    replaced,
  }
}

function isShort(text: unknown, lengthMax: number): boolean {
  return typeof text === 'string' && text.length > 0 && text.length <= lengthMax
}

function check(holds: boolean, because: string): void {
  if (!holds) throw new HoldfastError('REQUEST_INVALID', { because })
}

export interface Submission {
  turn: Turn
  /** The dedupe key was used before: this is that turn. */
  repeated: boolean
  /** The messages joined a turn that waited. */
  coalesced: boolean
  /** The running turn that was told to stop for this one. */
  interruptedTurnId: string | null
  /** The transcript that a rule of `sessions` began with this message; null when it goes on with the one that was there. */
  begunTranscript: number | null
}
