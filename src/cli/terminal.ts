import { once } from 'node:events'
import { styleText } from 'node:util'
import { exitCodes, type Output, type Outside } from './outside.ts'
import { type Column, tableLines } from './print/table.ts'
import { visibleText } from './print/visible.ts'

type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan'

/** What a command prints with. Answers go to stdout, everything else to stderr. */
export class Terminal {
  readonly outside: Outside
  /** What the program ends with when nothing is thrown. */
  exitCode: number = exitCodes.ok
  readonly #colours: boolean

  constructor(outside: Outside) {
    this.outside = outside
    const { env } = outside
    this.#colours = outside.stdout.isTTY === true && (env.NO_COLOR ?? '') === '' && env.TERM !== 'dumb'
  }

  /** One or more lines on stdout. Waits while the reader is slower. */
  async print(...lines: string[]): Promise<void> {
    if (lines.length > 0) await write(this.outside.stdout, `${lines.join('\n')}\n`)
  }

  /** Text on stdout as it is, without a line break. */
  async printPart(text: string): Promise<void> {
    if (text !== '') await write(this.outside.stdout, text)
  }

  async printJson(value: unknown): Promise<void> {
    await this.print(JSON.stringify(value, null, 2))
  }

  async printTable<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): Promise<void> {
    const { stdout } = this.outside
    const [heading = '', ...lines] = tableLines(rows, columns, stdout.isTTY === true ? (stdout.columns ?? 80) : null)
    await this.print(this.paint('bold', heading), ...lines)
  }

  /** A remark for the person, on stderr. */
  note(line: string): void {
    this.outside.stderr.write(`${line}\n`)
  }

  paint(style: Style, text: string): string {
    return this.#colours ? styleText(style, text, { validateStream: false }) : text
  }

  /** What people wrote: harmless on a terminal, untouched in a file or a pipe. */
  words(text: string): string {
    return this.outside.stdout.isTTY === true ? visibleText(text) : text
  }
}

async function write(output: Output, text: string): Promise<void> {
  if (!output.write(text)) await once(output, 'drain')
}
