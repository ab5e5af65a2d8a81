import { resolve } from 'node:path'
import { Option } from 'commander'
import { newFile } from '../../host/new-file.ts'
import type { SessionKey } from '../../model/keys.ts'
import type { Session } from '../../model/sessions.ts'
import { type CommandOptions, command, sessionKeyArgument, wholeNumber } from '../options.ts'
import { type ExportFormat, exportFormats } from '../print/export.ts'
import { count } from '../print/words.ts'
import { type Api, sessionPath } from '../reach/api.ts'
import { readTranscript } from '../reach/entries.ts'
import { reach } from '../reach/reach.ts'
import type { Terminal } from '../terminal.ts'
import { transcriptOf } from './transcript.ts'

interface ExportOptions extends CommandOptions {
  format: keyof typeof exportFormats
  out?: string
  all?: true
  transcript?: number
}

export function sessionsExport(terminal: Terminal) {
  return command('export', 'A whole transcript, as JSON lines or as Markdown', [
    'holdfast sessions export alice > alice.jsonl',
    'holdfast sessions export alice --format markdown --out alice.md',
    'holdfast sessions export alice --all --out alice-with-earlier-transcripts.jsonl',
  ])
    .argument('<key>', 'the session key, in full or short', sessionKeyArgument)
    .addOption(
      new Option('--format <format>', 'how it is written').choices(Object.keys(exportFormats)).default('jsonl'),
    )
    .option('--out <file>', 'write a new file instead of stdout')
    .option('--all', 'every transcript, also from before resets')
    .addOption(new Option('--transcript <n>', 'this transcript only').argParser(wholeNumber).conflicts('all'))
    .action(async (key: SessionKey, options: ExportOptions) => {
      await using api = await reach('read', options, terminal)
      const session = await api.call<Session>('GET', sessionPath(key))
      const parts = exportParts(api, session, options, terminal)
      if (options.out === undefined) {
        for await (const part of parts) await terminal.printPart(part)
        return
      }
      await using file = await newFile(resolve(terminal.outside.cwd, options.out))
      for await (const part of parts) await file.write(part)
      await file.keep()
      if (options.json === true) await terminal.printJson({ file: options.out })
    })
}

async function* exportParts(
  api: Api,
  session: Session,
  options: ExportOptions,
  terminal: Terminal,
): AsyncGenerator<string> {
  const format: ExportFormat = exportFormats[options.format]
  const current = transcriptOf(session, options.transcript)
  const transcripts = options.all === true ? Array.from({ length: current }, (_, index) => index + 1) : [current]
  yield format.opening(session, transcripts)
  let entriesDone = 0
  let notedAt = 0
  for (const transcript of transcripts) {
    yield format.transcript(transcript)
    for await (const entries of readTranscript(api, session.key, transcript)) {
      yield entries.map((entry) => format.entry(transcript, entry)).join('')
      entriesDone += entries.length
      if (entriesDone - notedAt >= noteEveryEntries) {
        terminal.note(`${count(entriesDone, 'entry', 'entries')} so far`)
        notedAt = entriesDone
      }
    }
  }
  if (options.out !== undefined || notedAt > 0) {
    const where = options.out === undefined ? '' : ` in ${options.out}`
    terminal.note(`${count(entriesDone, 'entry', 'entries')} of ${count(transcripts.length, 'transcript')}${where}.`)
  }
}

/** About one line a second. */
const noteEveryEntries = 20_000
