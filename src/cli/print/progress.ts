import type { Terminal } from '../terminal.ts'

/** One line that is written over, for people who wait. */
export function progressOf(terminal: Terminal): (each: unknown, done: number, of: number) => void {
  const { stderr } = terminal.outside
  if (stderr.isTTY !== true) return () => {}
  return (_, done, of) => void stderr.write(done === of ? '\r\x1b[K' : `\r${done} of ${of} sessions`)
}
