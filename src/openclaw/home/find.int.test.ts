import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { buildHome } from '../../../test/openclaw/build.ts'
import { Ground } from '../../../test/openclaw/unpack.ts'
import { unprivileged } from '../../../test/unprivileged.ts'
import { runCommand } from '../../host/commands.ts'
import { type Asked, type FindGround, findHomes } from './find.ts'

const one = { agents: [{ id: 'main', sessions: [{ key: 'agent:main:main' }] }] }

function around(ground: Ground, more: Partial<FindGround> = {}): FindGround {
  const userDir = join(ground.root, 'user')
  mkdirSync(userDir, { recursive: true })
  return { env: {}, userDir, cwd: ground.root, run: runCommand, versionOf: async () => null, ...more }
}

const find = (asked: Partial<Asked>, outside: FindGround) =>
  findHomes({ homes: [], docker: false, agents: [], ...asked }, outside)
const dirsOf = (homes: { dir: string }[]) => homes.map(({ dir }) => dir)
const notFound = (because: RegExp) => ({ code: 'HOME_NOT_FOUND', facts: { because: expect.stringMatching(because) } })

describe('homes that are named', () => {
  it('are found by any name, once, also by what holds them', async () => {
    using ground = new Ground()
    const { dir } = buildHome(join(ground.root, 'bot', '.openclaw'), one)
    buildHome(join(ground.root, 'other'), one)
    symlinkSync(dir, join(ground.root, 'link'))
    const homes = await find({ homes: ['other', dir, 'bot', 'link', './bot/../bot/.openclaw/'] }, around(ground))
    expect(dirsOf(homes)).toEqual([join(ground.root, 'other'), dir])
  })

  it.each([
    ['nowhere', /nowhere: there is nothing/],
    ['file', /it is a file and no directory/],
    ['empty', /neither openclaw.json nor an agent/],
    ['project', /neither openclaw.json nor an agent/],
  ])('are not found in %s, and the reason is told', async (name, because) => {
    using ground = new Ground()
    writeFileSync(join(ground.root, 'file'), '')
    mkdirSync(join(ground.root, 'empty'))
    mkdirSync(join(ground.root, 'project', 'agents', 'planner'), { recursive: true })
    await expect(find({ homes: [name] }, around(ground))).rejects.toMatchObject(notFound(because))
  })

  it('that cannot be read are told apart from those that are none', async () => {
    using ground = new Ground()
    symlinkSync('nowhere', join(ground.root, 'dangling'))
    const failure = { code: 'HOME_UNREADABLE', facts: { because: expect.stringMatching(/leads nowhere/) } }
    await expect(find({ homes: ['dangling'] }, around(ground))).rejects.toMatchObject(failure)
  })

  it('can be narrowed to agents, and an unknown one is an error', async () => {
    using ground = new Ground()
    const agents = ['main', 'work'].map((id) => ({ id, sessions: [{ key: `agent:${id}:main` }] }))
    buildHome(join(ground.root, 'a'), { agents })
    buildHome(join(ground.root, 'b'), one)
    const homes = await find({ homes: ['a', 'b'], agents: ['work'] }, around(ground))
    expect(homes.map((home) => home.agents.map(({ id }) => id))).toEqual([['work']])
    await expect(find({ homes: ['a'], agents: ['nobody'] }, around(ground))).rejects.toMatchObject(
      notFound(/no home has an agent nobody; there are main, work/),
    )
  })
})

describe('homes that are not named', () => {
  it('are those of the environment, and all that begin with .openclaw', async () => {
    using ground = new Ground()
    const outside = around(ground)
    const { userDir } = outside
    buildHome(join(userDir, '.openclaw'), one)
    buildHome(join(userDir, '.openclaw-work'), one)
    buildHome(join(ground.root, 'elsewhere'), one)
    mkdirSync(join(userDir, '.openclaw-cache'))
    writeFileSync(join(userDir, '.openclawrc'), '')
    symlinkSync(join(userDir, '.openclaw'), join(userDir, '.openclaw-link'))
    expect(dirsOf(await find({}, outside)).filter((dir) => dir.startsWith(userDir))).toEqual([
      join(userDir, '.openclaw'),
      join(userDir, '.openclaw-work'),
    ])
    const env = { OPENCLAW_STATE_DIR: join(ground.root, 'elsewhere') }
    expect(dirsOf(await find({}, { ...outside, env }))[0]).toBe(join(ground.root, 'elsewhere'))
  })

  it('have their configuration where the environment says, and only their own', async () => {
    using ground = new Ground()
    const outside = around(ground)
    buildHome(join(outside.userDir, '.openclaw'), one)
    buildHome(join(outside.userDir, '.openclaw-work'), one)
    const configPath = join(ground.root, 'mine.json')
    writeFileSync(configPath, '{ session: { maintenance: { maxEntries: 7 } } }')
    const homes = await find({}, { ...outside, env: { OPENCLAW_CONFIG_PATH: configPath } })
    const [own, work] = homes.filter(({ dir }) => dir.startsWith(outside.userDir))
    expect(own).toMatchObject({ configPath, policy: { entriesMax: 7 } })
    expect(work).toMatchObject({ policy: { entriesMax: 500 } })
  })

  it('are told by what was looked at when there are none', async () => {
    using ground = new Ground()
    await unprivileged(ground.root, async () => {
      await expect(find({}, around(ground))).rejects.toMatchObject(
        notFound(/looked at .*\.openclaw \(there is nothing\)/),
      )
    })
  })
})

/** A program named docker that says what the real one says. */
function fakeDocker(ground: Ground, mounts: object[], env: string[] = []): FindGround {
  const id = '4f'.repeat(32)
  const container = { Id: id, Name: '/bot', Config: { Env: env, User: 'node' }, Mounts: mounts }
  const bin = join(ground.root, 'bin')
  mkdirSync(bin)
  writeFileSync(join(bin, 'inspected.json'), JSON.stringify([container]))
  const script = `#!/bin/sh
case "$*" in
  'ps --quiet --no-trunc') echo ${id} ;;
  'inspect --type container ${id}') cat "$(dirname "$0")/inspected.json" ;;
  *) echo "unexpected: $*" >&2; exit 9 ;;
esac
`
  writeFileSync(join(bin, 'docker'), script, { mode: 0o755 })
  return around(ground, { env: { PATH: `${bin}:${process.env.PATH}` } })
}

describe('homes in containers', () => {
  it('are found in bind mounts and volumes, with the place at which the container sees them', async () => {
    using ground = new Ground()
    const { dir } = buildHome(join(ground.root, 'srv', 'state'), one)
    const volume = buildHome(join(ground.root, 'volume', '_data', '.openclaw'), one)
    mkdirSync(join(ground.root, 'logs'))
    const outside = fakeDocker(ground, [
      { Type: 'bind', Source: dir, Destination: '/home/node/.openclaw' },
      { Type: 'volume', Source: dirname(volume.dir), Destination: '/data' },
      { Type: 'bind', Source: join(ground.root, 'logs'), Destination: '/var/log' },
      { Type: 'bind', Source: '/var/run/nothing.sock', Destination: '/var/run/docker.sock' },
      { Type: 'tmpfs', Source: '', Destination: '/tmp' },
    ])
    const homes = await find({ docker: true }, outside)
    expect(homes.map(({ dir: at, elsewhere }) => [at, elsewhere])).toEqual([
      [dir, '/home/node/.openclaw'],
      [volume.dir, '/data/.openclaw'],
    ])
  })

  it('may lie deep in a mount, where the environment of the container says', async () => {
    using ground = new Ground()
    const { dir } = buildHome(join(ground.root, 'data', 'bots', 'one'), one)
    const mounts = [{ Source: join(ground.root, 'data'), Destination: '/data' }]
    const homes = await find(
      { docker: true },
      fakeDocker(ground, mounts, ['HOME=/root', 'OPENCLAW_STATE_DIR=/data/bots/one']),
    )
    expect(homes.map(({ dir: at, elsewhere }) => [at, elsewhere])).toEqual([[dir, '/data/bots/one']])
  })

  it('that are named as well are there once, with what the container says', async () => {
    using ground = new Ground()
    const { dir } = buildHome(join(ground.root, 'state'), one)
    const outside = fakeDocker(ground, [{ Source: dir, Destination: '/home/node/.openclaw' }])
    const homes = await find({ homes: [dir], docker: true }, outside)
    expect(homes.map(({ elsewhere }) => elsewhere)).toEqual(['/home/node/.openclaw'])
  })

  it('are understood where the configuration names places in the container', async () => {
    using ground = new Ground()
    const store = '~/.openclaw/stores/{agentId}/sessions.json'
    const { dir } = buildHome(join(ground.root, 'state'), { ...one, config: { session: { store } } })
    const homes = await find(
      { docker: true },
      fakeDocker(ground, [{ Source: dir, Destination: '/home/node/.openclaw' }]),
    )
    expect(homes[0]?.agents).toMatchObject([{ id: 'main', sessionsDir: join(dir, 'stores', 'main') }])
  })

  it('are none where no container has one', async () => {
    using ground = new Ground()
    const outside = fakeDocker(ground, [{ Source: ground.root, Destination: '/x' }])
    await expect(find({ docker: true }, outside)).rejects.toMatchObject(notFound(/mounted in bot/))
  })

  it('cannot be looked for without docker, or when it fails', async () => {
    using ground = new Ground()
    const bin = join(ground.root, 'other')
    mkdirSync(bin)
    const outside = around(ground, { env: { PATH: bin } })
    await expect(find({ docker: true }, outside)).rejects.toMatchObject({ code: 'COMMAND_MISSING' })
    writeFileSync(join(bin, 'docker'), '#!/bin/sh\necho "Cannot connect to the Docker daemon" >&2; exit 1\n', {
      mode: 0o755,
    })
    const failure = { code: 'COMMAND_FAILED', facts: { because: 'docker ps: Cannot connect to the Docker daemon' } }
    await expect(find({ docker: true }, outside)).rejects.toMatchObject(failure)
  })
})
