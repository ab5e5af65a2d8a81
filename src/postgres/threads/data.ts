import type { Holder } from '../../model/holders.ts'

/** What a client of the database is given; it crosses to the thread, so it is plain data. */
export interface ConnectionSettings {
  host: string
  port: number
  user: string
  password: string | undefined
  database: string
  /** `checksName` false: any name that the authority vouches for will do. */
  ssl: false | { rejectUnauthorized: boolean; checksName: boolean; ca?: string; cert?: string; key?: string }
  application_name: string
}

/** What the thread is started with. */
export interface ThreadData {
  connection: ConnectionSettings
  schema: string
  connectionsMax: number
  /** Null: beside gateways, nothing is written. */
  holder: Holder | null
  /** The main thread counts up here while it makes progress; see {@link beat}. */
  beats: SharedArrayBuffer
}

export const beatsBytes = Int32Array.BYTES_PER_ELEMENT
