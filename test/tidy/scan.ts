/** A source file, `path` relative to the folder that was read, with `/` between its parts. */
export type SourceFile = { path: string; text: string }

type ImportKind = 'import' | 'export' | 'dynamic' | 'url'
export type Import = { kind: ImportKind; specifier: string; line: number }

/** Code without comments; the nth string literal stands as `'n'` and its content in `strings[n]`. Lines stay where they were. */
type Masked = { code: string; strings: string[] }

const regexMayFollow =
  /(?:^|[([{,;:=!&|?+\-*%<>~^}]|\b(?:return|typeof|case|in|of|do|else|void|delete|throw|await|yield))$/

export function mask(text: string): Masked {
  const strings: string[] = []
  const templateDepths: number[] = []
  let code = ''
  let depth = 0
  let at = 0

  const keepLines = (skipped: string) => skipped.replace(/[^\n]/g, '')
  const endOf = (pattern: RegExp): number => {
    pattern.lastIndex = at
    return pattern.test(text) ? pattern.lastIndex : text.length
  }
  /** From after a backtick or a closing brace: to the end of the template, or into its next `${`. */
  const readTemplate = () => {
    const end = endOf(/(?:[^\\`$]|\\[\s\S]|\$(?!\{))*(?:`|\$\{)/y)
    code += ` ${keepLines(text.slice(at, end))}`
    if (text[end - 1] === '{') {
      templateDepths.push(depth)
      code += '('
    }
    at = end
  }

  while (at < text.length) {
    const rest = text.slice(at, at + 2)
    const char = text[at] as string
    if (rest === '//') at = endOf(/[^\n]*/y)
    else if (rest === '/*') {
      const end = endOf(/\/\*[\s\S]*?\*\//y)
      code += ` ${keepLines(text.slice(at, end))}`
      at = end
    } else if (char === "'" || char === '"') {
      const end = endOf(char === "'" ? /'(?:[^'\\\n]|\\[\s\S])*'?/y : /"(?:[^"\\\n]|\\[\s\S])*"?/y)
      code += `'${strings.push(text.slice(at + 1, end - 1)) - 1}'`
      at = end
    } else if (char === '`') {
      const plain = /`((?:[^\\`$]|\\[\s\S]|\$(?!\{))*)`/y
      plain.lastIndex = at
      const match = plain.exec(text)
      if (match === null) {
        at += 1
        readTemplate()
      } else {
        code += `'${strings.push(match[1] as string) - 1}'${keepLines(match[0])}`
        at = plain.lastIndex
      }
    } else if (char === '/' && regexMayFollow.test(code.trimEnd())) {
      at = endOf(/\/(?:[^\\/[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/y)
      code += ' /./ '
    } else if (char === '}' && templateDepths.at(-1) === depth) {
      templateDepths.pop()
      code += ')'
      at += 1
      readTemplate()
    } else {
      if (char === '{') depth += 1
      if (char === '}') depth -= 1
      code += char
      at += 1
    }
  }
  return { code, strings }
}

const importPatterns: [ImportKind, RegExp][] = [
  ['import', /(?<![.\w$])import\s*(?:type\s+)?(?:[\w$*{},\s]+?\bfrom\s*)?'(\d+)'/g],
  ['export', /(?<![.\w$])export\s*(?:type\s*)?(?:\*(?:\s*as\s+[\w$]+)?|\{[^}]*\})\s*from\s*'(\d+)'/g],
  ['dynamic', /(?<![.\w$])import\s*\(\s*'(\d+)'/g],
  ['url', /\bnew\s+URL\(\s*'(\d+)'\s*,\s*import\.meta\.url/g],
]

/** Every module that the text names: static and dynamic imports, types included, re-exports, and `new URL('./x.ts', import.meta.url)`. */
export function importsOf(text: string): Import[] {
  const { code, strings } = mask(text)
  return importPatterns.flatMap(([kind, pattern]) =>
    [...code.matchAll(pattern)].map((match) => ({
      kind,
      specifier: strings[Number(match[1])] as string,
      line: lineAt(code, match.index),
    })),
  )
}

/** What remains of a door after its re-exports are taken away. */
export function besidesReExports(text: string): string {
  const reExport = importPatterns[1]?.[1] as RegExp
  return mask(text)
    .code.replace(reExport, '')
    .replace(/[\s;]+/g, ' ')
    .trim()
}

export function lineAt(code: string, index: number): number {
  return code.slice(0, index).split('\n').length
}
