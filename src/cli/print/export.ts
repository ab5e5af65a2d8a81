import type { Entry } from '../../model/entries.ts'
import type { Session } from '../../model/sessions.ts'
import { entryText } from './entry.ts'
import { moment } from './words.ts'

/** How a session is written for other programs and for people. Texts are exactly what was said: a file is no terminal. */
export interface ExportFormat {
  opening(session: Session, transcripts: readonly number[]): string
  transcript(transcript: number): string
  entry(transcript: number, entry: Entry): string
}

export const exportFormats = {
  /** The first line is the session, each other line one entry. */
  jsonl: {
    opening: (session, transcripts) => jsonLine({ type: 'session', format: 1, transcripts, session }),
    transcript: () => '',
    entry: (transcript, entry) => jsonLine({ type: 'entry', transcript, ...entry }),
  },
  markdown: {
    opening: (session) =>
      `# ${session.title ?? session.key}\n\nSession \`${session.key}\`, opened ${moment(session.createdAtMs)}.\n`,
    transcript: (transcript) => `\n## Transcript ${transcript}\n`,
    entry: (_, entry) => `\n### ${entry.seq}. ${entry.kind}, ${moment(entry.atMs)}\n\n${entryText(entry)}\n`,
  },
} as const satisfies Record<string, ExportFormat>

function jsonLine(value: unknown): string {
  return `${JSON.stringify(value)}\n`
}
