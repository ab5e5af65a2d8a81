import type { CommandResult } from '../../host/commands.ts'

/** What a command printed as JSON, whatever else it said around it; null: it printed none. */
export function jsonIn(stdout: string): unknown {
  for (const { index } of stdout.matchAll(/^[{[]/gm)) {
    try {
      return JSON.parse(stdout.slice(index))
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error // a remark such as `[openclaw] …`
    }
  }
  return null
}

/** What it said went wrong, in a line for people. */
export function lastWords({ stderr, stdout, code }: CommandResult): string {
  const lines = `${stderr}\n${stdout}`
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !/^[{}\]",]/.test(line))
  const telling = lines.find((line) => /error|fail|refus|denied/i.test(line)) ?? lines.at(-1)
  return telling?.slice(0, 300) ?? `it ended with ${code}`
}
