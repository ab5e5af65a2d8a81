import { posix } from 'node:path'
import { besidesReExports, importsOf, lineAt, mask, type SourceFile } from './scan.ts'

/** Each rule takes files (paths relative to `src`) and gives one line per fault: the file, what is wrong, the fix. */
type Problems = string[]

type Exports = Record<string, Record<string, string>>

const isDoor = (path: string) => !path.includes('/')
const isTest = (path: string) => path.endsWith('.test.ts')
const roomOf = (path: string) => path.slice(0, path.indexOf('/'))
const targetOf = (from: string, specifier: string) => posix.join(posix.dirname(from), specifier)

export function checkDirections(files: SourceFile[], level: Record<string, number>): Problems {
  return files.flatMap((file) => {
    if (isDoor(file.path)) return []
    const from = roomOf(file.path)
    const fromLevel = level[from]
    if (fromLevel === undefined) return [`${file.path}: the room ${from}/ has no level; add it to \`level\`.`]
    return importsOf(file.text).flatMap(({ specifier, line }): Problems => {
      const where = `${file.path}:${line}`
      if (/^holdfast(\/|$)/.test(specifier)) {
        return [`${where}: imports ${specifier} through a door; import the file that owns the name.`]
      }
      if (!specifier.startsWith('.')) return []
      const target = targetOf(file.path, specifier)
      if (target.startsWith('..')) {
        return isTest(file.path) ? [] : [`${where}: ${specifier} lies outside src; move it in, or pass it in.`]
      }
      if (isDoor(target)) return [`${where}: imports the door ${target}; import the file that owns the name.`]
      const to = roomOf(target)
      if (to === from || (isTest(file.path) && to === 'testing')) return []
      const toLevel = level[to]
      if (toLevel === undefined) return [`${where}: the room ${to}/ has no level; add it to \`level\`.`]
      if (toLevel < fromLevel) return []
      const fix = 'move what both need to a lower room, or pass it in as an argument.'
      return [`${where}: ${from}/ (${fromLevel}) imports ${target} (${toLevel}), which is not below it; ${fix}`]
    })
  })
}

export function checkCycles(files: SourceFile[]): Problems {
  const targets = new Map(
    files.map((file) => [
      file.path,
      importsOf(file.text)
        .filter(({ specifier }) => specifier.startsWith('.'))
        .map(({ specifier }) => targetOf(file.path, specifier)),
    ]),
  )
  const problems: Problems = []
  const finished = new Set<string>()
  const walk = (path: string, trail: string[]): void => {
    const seenAt = trail.indexOf(path)
    if (seenAt !== -1) {
      const cycle = [...trail.slice(seenAt), path].join(' → ')
      problems.push(`${path}: imports itself through ${cycle}; move what both need to a file of its own.`)
      return
    }
    if (finished.has(path)) return
    for (const target of targets.get(path) ?? []) walk(target, [...trail, path])
    finished.add(path)
  }
  for (const path of targets.keys()) walk(path, [])
  return problems
}

const outsideCalls: [RegExp, string][] = [
  [/\bDate\.now\b/g, 'Date.now'],
  [/\bnew\s+Date\s*(?:\(\s*\)|(?![\s\w(]))/g, 'new Date()'],
  [/\bperformance\.now\b/g, 'performance.now'],
  [/\bMath\.random\b/g, 'Math.random'],
  [/\bprocess\.env\b/g, 'process.env'],
]

/** `allowed` holds rooms (`host/`) and files (`cli/main.ts`). Tests may touch the outside. */
export function checkOutside(files: SourceFile[], allowed: string[]): Problems {
  const mayTouch = (path: string) =>
    allowed.some((place) => (place.endsWith('/') ? path.startsWith(place) : path === place))
  return files
    .filter(({ path }) => !isTest(path) && !mayTouch(path))
    .flatMap(({ path, text }) => {
      const { code } = mask(text)
      const imports = importsOf(text)
        .filter(({ specifier }) => /^(?:node:)?(?:fs|fs\/promises|process)$/.test(specifier))
        .map(({ specifier, line }) => ({ line, what: specifier }))
      const calls = outsideCalls.flatMap(([pattern, what]) =>
        [...code.matchAll(pattern)].map((match) => ({ line: lineAt(code, match.index), what })),
      )
      return [...imports, ...calls].map(
        ({ line, what }) => `${path}:${line}: touches the outside (${what}); take it as an argument, made in host/.`,
      )
    })
}

const emptyNames = /^(?:utils?|helpers?|common|shared|misc|managers?)$/i

export function checkNames(paths: string[]): Problems {
  return paths.flatMap((path): Problems => {
    const empty = path.split(/[/.-]/).find((word) => emptyNames.test(word))
    if (empty !== undefined)
      return [`${path}: "${empty}" says nothing; name it after the domain noun or the verb inside.`]
    if (posix.basename(path) === 'index.ts' && path !== 'src/index.ts') {
      return [`${path}: a folder has no index.ts; import the file that owns the name.`]
    }
    return []
  })
}

/** `ratchet` holds the files that were too long when the rule came, with their lines. They may only shrink. */
export function checkSizes(files: SourceFile[], linesMax: number, ratchet: Record<string, number>): Problems {
  const lines = new Map(files.map(({ path, text }) => [path, text.replace(/\n$/, '').split('\n').length]))
  const grown = [...lines].flatMap(([path, count]): Problems => {
    const limit = ratchet[path] ?? linesMax
    return count > limit ? [`${path}: ${count} lines, at most ${limit}; find the second idea and give it a file.`] : []
  })
  const stale = Object.entries(ratchet).flatMap(([path, limit]): Problems => {
    const count = lines.get(path) ?? 0
    if (count <= linesMax) return [`${path}: no longer too long; take it off the ratchet.`]
    return count < limit ? [`${path}: has shrunk to ${count} lines; write that into the ratchet.`] : []
  })
  return [...grown, ...stale]
}

export function checkDoors(files: SourceFile[], exports: Exports): Problems {
  const doors = files.filter(({ path }) => isDoor(path))
  const nameOf = (entry: string) => (entry === '.' ? 'index' : entry.slice(2))
  const entries = Object.entries(exports).flatMap(([entry, conditions]): Problems => {
    const name = nameOf(entry)
    const wanted = {
      'holdfast-source': `./src/${name}.ts`,
      types: `./dist/${name}.d.ts`,
      default: `./dist/${name}.js`,
    }
    const problems: Problems = []
    if (JSON.stringify(conditions) !== JSON.stringify(wanted)) {
      problems.push(`package.json: exports["${entry}"] must be ${JSON.stringify(wanted)}.`)
    }
    if (!doors.some(({ path }) => path === `${name}.ts`)) {
      problems.push(
        `${name}.ts: package.json exports "${entry}", but its door is missing; write it, or drop the entry.`,
      )
    }
    return problems
  })
  const names = new Set(Object.keys(exports).map(nameOf))
  const contents = doors.flatMap(({ path, text }): Problems => {
    const problems: Problems = []
    if (!names.has(path.replace(/\.ts$/, ''))) {
      problems.push(
        `${path}: no entry in package.json "exports" opens this door; add one, or move the file into a room.`,
      )
    }
    const besides = besidesReExports(text)
    if (besides !== '') {
      problems.push(`${path}: a door only re-exports; move \`${besides.slice(0, 40)}\` to the room that owns it.`)
    }
    return problems
  })
  return [...entries, ...contents]
}

export function checkReExports(files: SourceFile[]): Problems {
  return files
    .filter(({ path }) => !isDoor(path))
    .flatMap(({ path, text }) =>
      importsOf(text)
        .filter(({ kind }) => kind === 'export')
        .map(
          ({ line, specifier }) =>
            `${path}:${line}: re-exports ${specifier}; only doors do. Import it where it is used.`,
        ),
    )
}
