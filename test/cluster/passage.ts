import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** What becomes of the bytes: they pass, late or not; they are swallowed while connections stay; connections are refused and broken. */
export type Way = { kind: 'pass'; delayMs: number } | { kind: 'swallow' } | { kind: 'refuse' }

/** A way on loopback to a server, which a test can close, without either side being told. */
export class Passage {
  readonly port: number
  #way: Way = { kind: 'pass', delayMs: 0 }
  readonly #pairs = new Set<readonly [Socket, Socket]>()
  readonly #close: () => Promise<void>

  private constructor(port: number, close: () => Promise<void>) {
    this.port = port
    this.#close = close
  }

  static async to(port: number): Promise<Passage> {
    const server = createServer()
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const passage = new Passage((server.address() as { port: number }).port, async () => {
      server.close()
      passage.#break()
      await once(server, 'close')
    })
    server.on('connection', (near) => passage.#join(near, port))
    return passage
  }

  set(way: Way): void {
    this.#way = way
    if (way.kind === 'refuse') this.#break()
  }

  /** Everything that is under way ends in the middle; new connections pass as before. */
  cut(): void {
    this.#break()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#close()
  }

  #join(near: Socket, port: number): void {
    if (this.#way.kind === 'refuse') return void near.resetAndDestroy()
    const far = connect(port, '127.0.0.1')
    const pair = [near, far] as const
    this.#pairs.add(pair)
    for (const socket of pair) {
      socket.on('error', () => {}) // the other end is told by the close
      socket.on('close', () => {
        this.#pairs.delete(pair)
        near.destroy()
        far.destroy()
      })
    }
    void this.#pump(near, far)
    void this.#pump(far, near)
  }

  /** In order, each piece after what the way asks for when it comes. What was swallowed never arrives: the connection is of no use then. */
  async #pump(from: Socket, to: Socket): Promise<void> {
    try {
      for await (const piece of from as AsyncIterable<Buffer>) {
        if (this.#way.kind === 'pass' && this.#way.delayMs > 0) await sleep(this.#way.delayMs)
        while (this.#way.kind === 'swallow' && !to.destroyed) await sleep(20)
        if (!to.write(piece)) await once(to, 'drain')
      }
    } catch {
      // the connection is gone
    }
    to.destroy()
  }

  #break(): void {
    for (const [near, far] of this.#pairs) {
      near.resetAndDestroy()
      far.resetAndDestroy()
    }
  }
}
