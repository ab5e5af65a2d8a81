import { holdfast, type Scene } from './program.ts'

/** Runs each command line and writes down what a person would see: both streams and the exit code. */
export async function transcriptOf(lines: readonly string[], scene: Scene): Promise<string> {
  const parts: string[] = []
  for (const line of lines) {
    const { code, stdout, stderr } = await holdfast(wordsOf(line), scene)
    parts.push([`$ holdfast ${line}\n`, stdout, prefixed(stderr), code === 0 ? '' : `exit ${code}\n`].join(''))
  }
  return parts.join('\n')
}

/** Lines of stderr begin with `! `. */
function prefixed(text: string): string {
  return text.replace(/^(?=.)/gm, '! ')
}

/** Words of a command line; double quotes hold a word together. */
function wordsOf(line: string): string[] {
  return [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '')
}
