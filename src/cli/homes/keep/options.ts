import type { HomeOptions } from '../options.ts'

/** What `keep` was told. Durations in ms. */
export interface KeepOptions extends HomeOptions {
  config?: string
  log?: string
  port?: string
  mode?: 'off' | 'warn' | 'enforce'
  locksEvery?: number
  cleanEvery?: number
  once?: true
  status?: true
}
