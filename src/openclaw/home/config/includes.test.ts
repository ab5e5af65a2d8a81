import { describe, expect, it } from 'vitest'
import { withIncludes } from './includes.ts'

const loaded = (files: Record<string, unknown>, parsed: unknown, roots = ['/h']) =>
  withIncludes(parsed, { configPath: '/h/openclaw.json', roots, load: async (path) => files[path] })

const refused = (because: RegExp) => ({
  code: 'HOME_CONFIG_INVALID',
  facts: { because: expect.stringMatching(because) },
})

describe('$include', () => {
  it('puts a file in its place, at the top and deeper', async () => {
    const files = {
      '/h/a.json': { x: 1, inner: { $include: './sub/b.json' } },
      '/h/sub/b.json': [1, { $include: 'c' }],
      '/h/sub/c': 3,
    }
    expect(await loaded(files, { $include: './a.json' })).toEqual({ x: 1, inner: [1, 3] })
  })

  it('lets the later file and the keys beside it win, and joins lists', async () => {
    const files = {
      '/h/a': { mode: 'warn', list: [1], deep: { a: 1, both: 'a' } },
      '/h/b': { mode: 'enforce', list: [2], deep: { b: 2, both: 'b' } },
    }
    const found = await loaded(files, {
      $include: ['a', '/h/b'],
      list: [3],
      deep: { both: 'beside' },
      more: { $include: 'a' },
    })
    expect(found).toEqual({
      mode: 'enforce',
      list: [1, 2, 3],
      deep: { a: 1, b: 2, both: 'beside' },
      more: files['/h/a'],
    })
  })

  it('may name one file in several places, and nothing', async () => {
    const files = { '/h/a': { x: 1 } }
    expect(await loaded(files, { l: { $include: 'a' }, r: { $include: ['a', 'a'] }, e: { $include: [] } })).toEqual({
      l: { x: 1 },
      r: { x: 1 },
      e: {},
    })
  })

  it.each([
    ['a circle', { $include: 'a' }, /circle: .*openclaw.json → .h.a → .h.b → .h.a/],
    ['itself', { $include: 'openclaw.json' }, /circle/],
    ['a file outside', { $include: '../x.json' }, /leads out/],
    ['a file outside by an absolute path', { $include: '/etc/passwd' }, /leads out/],
    ['a folder whose name begins alike', { $include: '/hh/x' }, /leads out/],
    ['a zero', { $include: 'a\0b' }, /names no path/],
    ['a very long path', { $include: 'a'.repeat(5_000) }, /names no path/],
    ['a number', { $include: 5 }, /neither a path nor a list/],
    ['a list with a number', { $include: ['ok', 5] }, /something else than a path/],
    ['a list, with keys beside it', { $include: 'list', x: 1 }, /no object/],
  ])('of %s is refused', async (_, parsed, because) => {
    const files = { '/h/a': { $include: 'b' }, '/h/b': { $include: 'a' }, '/h/ok': {}, '/h/list': [] }
    await expect(loaded(files, parsed)).rejects.toMatchObject(refused(because))
  })

  it('goes ten files deep and no further', async () => {
    const chain = (files: number) =>
      Object.fromEntries(
        Array.from({ length: files }, (_, at) => [
          `/h/${at}`,
          at === files - 1 ? { end: 1 } : { $include: `${at + 1}` },
        ]),
      )
    expect(await loaded(chain(10), { $include: '0' })).toEqual({ end: 1 })
    await expect(loaded(chain(11), { $include: '0' })).rejects.toMatchObject(refused(/deeper than 10/))
  })

  it('ends where files multiply', async () => {
    const files = Object.fromEntries(
      Array.from({ length: 9 }, (_, at) => [`/h/${at}`, { $include: Array(10).fill(`${at + 1}`) }]),
    )
    await expect(loaded({ ...files, '/h/9': {} }, { $include: '0' })).rejects.toMatchObject(refused(/1000 files/))
  })

  it('ends where one file is too deep', async () => {
    let deep: unknown = 1
    for (let level = 0; level < 100_000; level += 1) deep = [deep]
    await expect(loaded({}, deep)).rejects.toMatchObject(refused(/levels deep/))
  })

  it('does not reach the prototype of an object', async () => {
    const files = { '/h/a': JSON.parse('{"__proto__":{"evil":1},"constructor":{"x":1}}') }
    const found = (await loaded(files, { $include: 'a', x: 1 })) as Record<string, unknown>
    expect(found.evil).toBeUndefined()
    expect(Object.keys(found)).toEqual(['x'])
    expect(({} as Record<string, unknown>).evil).toBeUndefined()
  })

  it('may lead to other folders that are allowed', async () => {
    expect(await loaded({ '/etc/bot/x': { y: 1 } }, { $include: '/etc/bot/x' }, ['/h', '/etc/bot'])).toEqual({ y: 1 })
  })
})
