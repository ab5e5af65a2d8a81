import type { Api } from './api.ts'
import { queryOf } from './api.ts'

type Query = Record<string, string | number | boolean | undefined>

/** Rows asked for at once. */
const pageRows = 100

export interface Listing<Item> {
  items: Item[]
  /** There are more than were asked for. */
  more: boolean
}

/** The first `limit` items of a list (`{ items, next }` pages), however many pages that takes. */
export async function readList<Item>(api: Api, path: string, query: Query, limit: number): Promise<Listing<Item>> {
  const items: Item[] = []
  let after: string | undefined
  do {
    const rows = Math.min(pageRows, limit - items.length)
    const page = await api.call<{ items: Item[]; next: string | null }>(
      'GET',
      path + queryOf({ ...query, limit: rows, after }),
    )
    items.push(...page.items)
    after = page.next ?? undefined
  } while (after !== undefined && items.length < limit)
  return { items, more: after !== undefined }
}
