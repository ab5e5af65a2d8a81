import { type Fields, fieldsIn } from '../rows/entry.ts'

/** What is read of an index entry; the rest of it is carried along as text. */

export function parsedEntry(text: string | null): Fields {
  return text === null ? {} : fieldsIn(text)
}

export function textIn(entry: Fields, member: string): string | null {
  const value = entry[member]
  return typeof value === 'string' && value.trim() !== '' ? value : null
}

export function timeIn(entry: Fields, member: string): number | null {
  const value = entry[member]
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : null
}

export function textsIn(entry: Fields, member: string): string[] {
  const value = entry[member]
  return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : []
}
