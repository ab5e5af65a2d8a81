import { HoldfastError } from '../../model/errors.ts'
import type { Page } from '../../store/page.ts'

/** One page of rows that are in order already. A cursor is the place of the last row that was given. */
export function pageOf<T>(rows: T[], placeOf: (row: T) => number[], query: { limit: number; after?: string }): Page<T> {
  const after = query.after === undefined ? null : placeIn(query.after)
  const rest = after === null ? rows : rows.filter((row) => isBehind(placeOf(row), after))
  const items = rest.slice(0, query.limit)
  const last = items.at(-1)
  return { items, next: last !== undefined && rest.length > items.length ? JSON.stringify(placeOf(last)) : null }
}

function isBehind(place: number[], after: number[]): boolean {
  const index = place.findIndex((part, at) => part !== after[at])
  return index !== -1 && (place[index] as number) > (after[index] as number)
}

function placeIn(cursor: string): number[] {
  if (!/^\[-?\d+(,-?\d+)*\]$/.test(cursor)) throw new HoldfastError('CURSOR_INVALID')
  return JSON.parse(cursor)
}
