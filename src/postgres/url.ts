import type { ConnectionSettings } from './threads/data.ts'

export interface DatabasePlace {
  connection: ConnectionSettings
  schema: string
  connectionsMax: number
}

export function parseDatabaseUrl(text: string): DatabasePlace {
  const url = new URL(text)
  return {
    connection: {
      host: url.hostname,
      port: Number(url.port || 5432),
      user: decodeURIComponent(url.username),
      password: decodeURIComponent(url.password),
      database: url.pathname.slice(1),
      ssl: false,
      application_name: 'holdfast',
    },
    schema: url.searchParams.get('schema') ?? 'holdfast',
    connectionsMax: Number(url.searchParams.get('pool') ?? 8),
  }
}
