import { recordOf } from '../../../src/model/errors.ts'
import { Reader } from '../../../src/openclaw/database/reader.ts'

/** Reads all rows of an agent's database and prints how many there are, or the error. PATH AGENT */

const [path = '', agentId = 'main'] = process.argv.slice(2)
using reader = new Reader()
try {
  const { items } = reader.ask({ path, agentId }, 'readSessions', { after: '' }) as { items: { sessionId: string }[] }
  const rows = items.flatMap(({ sessionId }) => {
    const query = { sessionId, after: -1, rowBytesMax: 1024 ** 2 }
    return (reader.ask({ path, agentId }, 'readRows', query) as { rows: unknown[] }).rows
  })
  console.log(JSON.stringify({ sessions: items.length, rows: rows.length }))
} catch (error) {
  console.log(JSON.stringify(recordOf(error)))
}
