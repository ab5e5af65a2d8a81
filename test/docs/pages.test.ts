import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { configSchema } from '../../src/config/schema.ts'
import { errorCatalog } from '../../src/model/errors.ts'
import { findingCatalog } from '../../src/openclaw/doctor/catalog.ts'
import { keeperTasks } from '../../src/openclaw/keep/due.ts'
import { linesCode, openingCode } from '../../src/openclaw/move/lines/records.ts'

const root = new URL('../../', import.meta.url)
const names = [
  ...['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'examples/README.md'],
  ...readdirSync(new URL('docs/', root)).map((name) => `docs/${name}`),
]
const pages = names.map((name) => ({ name, url: new URL(name, root), text: readFileSync(new URL(name, root), 'utf8') }))

/** Every match in every page, as `page: match`, that `isKnown` does not know. */
function unknown(pattern: RegExp, isKnown: (match: string, page: URL) => boolean): string[] {
  return pages.flatMap(({ name, url, text }) =>
    [...text.matchAll(pattern)]
      .map((match) => match[1] as string)
      .filter((match) => !isKnown(match, url))
      .map((match) => `${name}: ${match}`),
  )
}

const headingsOf = (url: URL) =>
  [...readFileSync(url, 'utf8').matchAll(/^#+ (.+)$/gm)].map((match) =>
    (match[1] as string)
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  )

describe('the pages', () => {
  it('link to files and headings that exist', () => {
    const exists = (link: string, page: URL) => {
      if (/^https?:/.test(link)) return true
      const target = new URL(link, page)
      const anchor = target.hash.slice(1)
      target.hash = ''
      return existsSync(target) && (anchor === '' || headingsOf(target).includes(anchor))
    }
    expect(unknown(/\]\(([^)]+)\)/g, exists)).toEqual([])
  })

  it('name scripts, folders and files of this repository that exist', () => {
    const isThere = (path: string) => existsSync(new URL(path, root))
    expect(unknown(/`((?:src|test|bench|examples|docs)\/[\w./-]*)`/g, isThere)).toEqual([])
  })

  it('name error codes and findings that exist', () => {
    const blockers = readFileSync(new URL('src/openclaw/rescue/blockers.ts', root), 'utf8')
    const causes = [...keeperTasks.map((task) => `${task.toUpperCase()}_FAILED`), linesCode, openingCode]
    const isKnown = (code: string) =>
      code in errorCatalog || code in findingCatalog || causes.includes(code) || blockers.includes(`code: '${code}'`)
    expect(unknown(/`([A-Z]+(?:_[A-Z]+)+)`/g, (code) => isKnown(code) || /_API_KEY$|^HOLDFAST_/.test(code))).toEqual([])
  })

  it('name settings that exist', () => {
    const sections = Object.keys(configSchema.shape).filter((name) => name !== 'data')
    const isThere = (path: string) => {
      if (path === 'sessions.json') return true // a file of OpenClaw's
      const keys = path.split('.')
      let shape: Record<string, unknown> | undefined = configSchema.shape
      for (const key of keys) {
        const found = shape?.[key] as { shape?: unknown; unwrap?: () => unknown } | undefined
        if (found === undefined) return false
        const inner = (found.unwrap?.() ?? found) as { shape?: Record<string, unknown> }
        shape = inner.shape
      }
      return true
    }
    expect(unknown(new RegExp(`\`((?:${sections.join('|')})\\.[a-z][A-Za-z.]+)\``, 'g'), isThere)).toEqual([])
  })
})
