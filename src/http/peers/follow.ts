import { EventSourceParserStream } from 'eventsource-parser/stream'
import type { TurnEvent } from '../../engine/events.ts'
import type { FollowElsewhere } from '../../engine/turns/others.ts'

/** A gateway that says nothing for so long is not followed any more; while a turn is silent it sends a comment every few seconds. Unit: ms. */
const silenceMaxMs = 30_000

/** Turns that are followed elsewhere at once; those beyond are answered whole, from the store. */
const followedMax = 1_000

/**
 * Follows turns that run in another gateway by its own API, with the secret that it wrote into the store for that. Whoever can read it
 * there can read every session anyway.
 */
export function followPeers(): FollowElsewhere {
  let followed = 0
  return async function* (holder, turnId, signal) {
    if (followed >= followedMax) throw new Error('too many turns are followed elsewhere')
    followed += 1
    try {
      yield* eventsOf(
        new URL(`/v1/turns/${encodeURIComponent(turnId)}/events`, holder.address ?? ''),
        holder.token ?? '',
        signal,
      )
    } finally {
      followed -= 1
    }
  }
}

async function* eventsOf(url: URL, token: string, signal: AbortSignal): AsyncGenerator<TurnEvent, void, undefined> {
  const silent = new AbortController()
  const heard = () => {
    clearTimeout(timer)
    timer = setTimeout(() => silent.abort(new Error('the other gateway is silent')), silenceMaxMs).unref()
  }
  let timer: NodeJS.Timeout | undefined
  heard()
  try {
    const response = await fetch(url, {
      headers: { authorization: `Bearer ${token}`, accept: 'text/event-stream' },
      redirect: 'error', // the secret is for this address alone
      signal: AbortSignal.any([signal, silent.signal]),
    })
    if (!response.ok || response.body === null) {
      await response.body?.cancel()
      throw new Error(`the other gateway answers ${response.status}`)
    }
    const bytes = response.body.pipeThrough(tapped(heard)).pipeThrough(new TextDecoderStream())
    for await (const { event, data } of bytes.pipeThrough(new EventSourceParserStream())) {
      if (event === 'error') throw new Error('the other gateway cannot follow the turn')
      yield JSON.parse(data) as TurnEvent
    }
  } finally {
    clearTimeout(timer)
  }
}

function tapped(heard: () => void): TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>> {
  return new TransformStream({
    transform: (chunk, controller) => {
      heard()
      controller.enqueue(chunk)
    },
  })
}
