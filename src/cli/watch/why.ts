import type { WhyReport } from '../../engine/why.ts'
import type { SessionKey } from '../../model/keys.ts'
import { type CommandOptions, command, sessionKeyArgument } from '../options.ts'
import { sessionPath } from '../reach/api.ts'
import { reach } from '../reach/reach.ts'
import type { Terminal } from '../terminal.ts'
import { findWedged, wedgedLines } from './wedged.ts'
import { whyLines } from './why-lines.ts'

export function why(terminal: Terminal) {
  return command('why', 'Why a session waits: who holds it, since when, what waits, what happens next', [
    'holdfast why alice',
    'holdfast why agent:main:telegram:direct:42 --json',
  ])
    .argument('<key>', 'the session key, in full or short', sessionKeyArgument)
    .action(async (key: SessionKey, options: CommandOptions) => {
      await using api = await reach('read', options, terminal)
      const answer = await api.call<WhyReport>('GET', sessionPath(key, '/why'))
      const wedged = await findWedged(api, options, terminal)
      if (options.json === true) return await terminal.printJson({ ...answer, wedged })
      const nowMs = terminal.outside.clock.nowMs()
      const [heading = '', ...lines] = whyLines(answer, api.via, nowMs)
      await terminal.print(...wedgedLines(wedged, nowMs))
      await terminal.print(terminal.paint('bold', heading), ...lines)
    })
}
