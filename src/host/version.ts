import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The version in package.json, which lies two folders up both in a checkout and in the published package. */
export function packageVersion(): string {
  const text = readFileSync(join(import.meta.dirname, '..', '..', 'package.json'), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}
