import type { CommandResult } from '../../host/commands.ts'

/** What a command printed as JSON, whatever else it said around it; null: it printed none. */
export function jsonIn(stdout: string): unknown {
  const start = stdout.search(/^[{[]/m)
  if (start === -1) return null
  try {
    return JSON.parse(stdout.slice(start))
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}

/** The last thing that it said, for people. */
export function lastWords({ stderr, stdout, code }: CommandResult): string {
  const lines = `${stdout}\n${stderr}`.split('\n').map((line) => line.trim())
  return lines.findLast((line) => line !== '' && !/^[{}\]",]/.test(line))?.slice(0, 300) ?? `it ended with ${code}`
}
