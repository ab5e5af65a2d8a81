import type pg from 'pg'
import { HoldfastError } from '../../model/errors.ts'
import type { Value } from '../../relational/steps.ts'
import { beginning, Connection, type Pool, type Result, type Text } from './connection.ts'
import { isLost } from './failures.ts'

/** The connection was lost after the end of the transaction had been asked for: whether it was committed is unknown. */
export class OutcomeUnknown extends Error {}

/**
 * Does `act` in a transaction of its own, and gives its answer after the commit. What it throws has changed nothing, except
 * `OutcomeUnknown`. A connection that is lost is not used again.
 */
export async function inTransaction<T>(pool: Pool, act: (db: Connection) => Promise<T>): Promise<T> {
  const client = await pool.connections.connect()
  const db = new Connection(client, pool.named)
  let ending = false
  try {
    db.send(beginning(pool.schema, 'write'))
    const value = await act(db)
    ending = true
    db.send('COMMIT')
    const command = await db.landed()
    // an error that nobody took back to a savepoint: PostgreSQL says so only by this word
    if (command !== 'COMMIT') throw new HoldfastError('INTERNAL', { because: 'the transaction could not be committed' })
    client.release()
    return value
  } catch (error) {
    await giveUp(client, error)
    if (ending && isLost(error)) throw new OutcomeUnknown('', { cause: error })
    throw error
  }
}

/**
 * One statement that is a transaction by itself: one way there, one way back. It names the schema of its tables. Its time limit is the client's:
 * what is not answered by then has an unknown outcome.
 */
export async function inOneTrip(pool: Pool, text: Text, values: readonly Value[]): Promise<Result> {
  const client = await pool.connections.connect()
  try {
    const result = await new Connection(client, pool.named).query(text, values)
    client.release()
    return result
  } catch (error) {
    client.release(isLost(error))
    if (isLost(error)) throw new OutcomeUnknown('', { cause: error })
    throw error
  }
}

/** Reads of one snapshot. The answer does not wait for the end of the transaction. */
export async function inSnapshot<T>(pool: Pool, act: (db: Connection) => Promise<T>): Promise<T> {
  const client = await pool.connections.connect()
  const db = new Connection(client, pool.named)
  try {
    db.send(beginning(pool.schema, 'read'))
    const value = await act(db)
    client.query('COMMIT').then(
      () => client.release(),
      (error: Error) => client.release(error),
    )
    return value
  } catch (error) {
    await giveUp(client, error)
    throw error
  }
}

async function giveUp(client: pg.PoolClient, error: unknown): Promise<void> {
  if (isLost(error)) return client.release(true)
  try {
    await client.query('ROLLBACK')
    client.release()
  } catch {
    client.release(true) // the server takes the transaction back when the connection ends
  }
}
