import { chmodSync, chownSync, linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Ground } from '../../../test/openclaw/unpack.ts'
import { agentIdOf, readConfig } from './config.ts'

const isRoot = process.getuid?.() === 0

/** A home with these files; text of `openclaw.json` first. */
function homeWith(ground: Ground, config: string | null, files: Record<string, string> = {}): string {
  const dir = join(ground.root, '.openclaw')
  for (const [name, text] of Object.entries({ ...(config === null ? {} : { 'openclaw.json': config }), ...files })) {
    mkdirSync(dirname(join(dir, name)), { recursive: true })
    writeFileSync(join(dir, name), text)
  }
  mkdirSync(dir, { recursive: true })
  return dir
}

const read = (dir: string, env: Record<string, string> = {}, configPath: string | null = null) =>
  readConfig(dir, configPath, { env, userDir: '/home/bot' })

describe('the configuration of a home', () => {
  it('is read with comments, includes, variables and all', async () => {
    using ground = new Ground()
    const reference = (name: string) => `$\{${name}}`
    const dir = homeWith(
      ground,
      `// by hand
      { $include: ['./parts/base.json5', 'parts/more.json5'], 
        session: { maintenance: { pruneAfter: '${reference('PRUNE')}', maxEntries: 77 }, store: '~/$${reference('NOT')}/${reference('STORE')}/s.json', },
        cron: { sessionRetention: '${reference('RET')}' },
        env: { vars: { RET: '36h', STORE: 'config' } }, meta: { lastTouchedVersion: '2026.5.18' } }`,
      {
        'parts/base.json5': `{ agents: { list: [{ id: 'Main' }] }, session: { maintenance: { pruneAfter: '1d', mode: 'warn' } }, x: { $include: './x.json' } }`,
        'parts/more.json5': `{ agents: { list: [{ id: 'Work', default: true }] }, session: { maintenance: { mode: 'enforce' } } }`,
        'parts/x.json': '{}',
        '.env': 'PRUNE=9d\nSTORE="from dotenv"\n',
      },
    )
    expect(await read(dir)).toEqual({
      path: join(dir, 'openclaw.json'),
      rules: {
        maintenance: { mode: 'enforce', pruneAfter: '9d', maxEntries: 77 },
        cronSessionRetention: '36h',
      },
      agents: ['work', 'main'],
      store: `~/${reference('NOT')}/from dotenv/s.json`,
      version: '2026.5.18',
    })
    const found = await read(dir, { STORE: 'environment', RET: '' })
    expect(found).toMatchObject({ store: expect.stringContaining('/environment/') })
    expect(found.rules.cronSessionRetention).toBe('36h')
  })

  it('may not be there, or have an earlier name, or another place', async () => {
    using ground = new Ground()
    const dir = homeWith(ground, null)
    expect(await read(dir)).toMatchObject({ path: null, agents: [], store: null })
    writeFileSync(join(dir, 'clawdbot.json'), '{ cron: { sessionRetention: false } }')
    expect(await read(dir)).toMatchObject({ rules: { cronSessionRetention: false } })
    writeFileSync(join(ground.root, 'other.json'), '{ cron: { sessionRetention: "2h" } }')
    expect(await read(dir, {}, join(ground.root, 'other.json'))).toMatchObject({
      rules: { cronSessionRetention: '2h' },
    })
  })

  it('names agents as a list or by their ids', async () => {
    using ground = new Ground()
    const dir = homeWith(ground, '{ agents: { entries: { a: {}, "B b": { default: true }, c: null } } }')
    expect((await read(dir)).agents).toEqual(['b-b', 'a', 'c'])
  })

  it('leaves variables in rules as they are where they are not set', async () => {
    using ground = new Ground()
    const pruneAfter = `$\{NOT_SET}`
    const dir = homeWith(ground, JSON.stringify({ session: { maintenance: { pruneAfter } } }))
    expect((await read(dir)).rules.maintenance).toEqual({ pruneAfter })
  })

  it.each([
    ['no JSON', '{', /invalid|end of input/i],
    ['empty', '', /end of input/i],
    ['a list', '[]', /no object/],
    ['a session that is none', '{ session: 5 }', /session: it is no object/],
    ['a store that is none', '{ session: { store: 5 } }', /session.store: it is no text/],
    ['a store with a variable that is not set', "{ session: { store: '$\u007bNOPE}/x' } }", /NOPE is not set here/],
    ['an include that is not there', "{ $include: 'nope' }", /not there/],
    ['an include that is no JSON', "{ $include: 'broken' }", /broken: /],
    ['an include with two names', "{ $include: 'twice' }", /hard links/],
    ['an include that is a folder', "{ $include: 'folder' }", /folder/],
    ['an include through a link', "{ $include: 'link' }", /through a link/],
    ['very deep', `${'['.repeat(100_000)}${']'.repeat(100_000)}`, /levels deep/],
  ])('that is %s is refused', async (_, config, because) => {
    using ground = new Ground()
    const dir = homeWith(ground, config, { broken: '{{', twice: '{}', 'folder/x': '', '../outside': '{}' })
    linkSync(join(dir, 'twice'), join(dir, 'again'))
    symlinkSync(join(ground.root, 'outside'), join(dir, 'link'))
    const failure = expect.objectContaining({ facts: { because: expect.stringMatching(because) } })
    await expect(read(dir)).rejects.toEqual(failure)
  })

  it('includes through links inside its folder, and from folders that the environment allows', async () => {
    using ground = new Ground()
    const dir = homeWith(ground, "{ cron: { $include: 'link' } }", { real: '{ sessionRetention: "5h" }' })
    symlinkSync('real', join(dir, 'link'))
    expect((await read(dir)).rules.cronSessionRetention).toBe('5h')
    const other = join(ground.root, 'other.json5')
    writeFileSync(other, '{ sessionRetention: "6h" }')
    writeFileSync(join(dir, 'openclaw.json'), JSON.stringify({ cron: { $include: other } }))
    await expect(read(dir)).rejects.toMatchObject({ code: 'HOME_CONFIG_INVALID' })
    expect((await read(dir, { OPENCLAW_INCLUDE_ROOTS: ground.root })).rules.cronSessionRetention).toBe('6h')
  })

  it('may be a link, as long as the owner of the home can read where it leads', async () => {
    using ground = new Ground()
    const dir = homeWith(ground, null)
    const outside = join(ground.root, 'dotfiles.json')
    writeFileSync(outside, '{ cron: { sessionRetention: "7h" } }', { mode: 0o600 })
    symlinkSync(outside, join(dir, 'openclaw.json'))
    expect((await read(dir)).rules.cronSessionRetention).toBe('7h')
    if (!isRoot) return
    chownSync(dir, 12345, 12345)
    await expect(read(dir)).rejects.toMatchObject({ code: 'HOME_UNSAFE' })
    chmodSync(outside, 0o644)
    expect((await read(dir)).rules.cronSessionRetention).toBe('7h')
  })

  it('that cannot be read is not one that is not there', async () => {
    using ground = new Ground()
    const dir = homeWith(ground, null)
    symlinkSync('nowhere', join(dir, 'openclaw.json'))
    await expect(read(dir)).rejects.toMatchObject({ code: 'HOME_UNREADABLE' })
    const folder = homeWith(ground, null, { 'openclaw.json.d/x': '' })
    await expect(read(folder, {}, join(folder, 'openclaw.json.d'))).rejects.toMatchObject({ code: 'HOME_UNSAFE' })
    const long = homeWith(ground, null, { long: ' '.repeat(11 * 1024 ** 2) })
    await expect(read(long, {}, join(long, 'long'))).rejects.toMatchObject({ code: 'HOME_UNREADABLE' })
  })
})

it.each([
  ['Main', 'main'],
  ['my_bot-2', 'my_bot-2'],
  ['Two Words!', 'two-words'],
  ['../../etc', 'etc'],
  ['a'.repeat(80), 'a'.repeat(64)],
  ['!!!', 'main'],
])('the agent %s has the id %s', (written, id) => expect(agentIdOf(written)).toBe(id))
