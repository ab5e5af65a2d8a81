import { expect, it } from 'vitest'
import { factsOfKey } from './keys.ts'

const id = '3fa77d80-cd8b-4a96-b967-097714b1e759'

it.each([
  ['agent:main:main', 'main', 'main', 'protected'],
  ['agent:work:main', 'main', 'work', 'protected'],
  ['global', 'main', null, 'protected'],
  ['main', 'main', null, 'protected'],
  ['agent:main:global', 'main', 'main', 'protected'],
  ['agent:main:telegram:direct:40382952', 'direct', 'main', 'ordinary'],
  ['agent:main:direct:alice', 'direct', 'main', 'ordinary'],
  ['agent:main:slack:acct1:direct:u1', 'direct', 'main', 'ordinary'],
  ['agent:main:telegram:dm:40382952', 'direct', 'main', 'ordinary'],
  ['agent:main:telegram:group:-100555', 'group', 'main', 'protected'],
  ['agent:main:discord:channel:1506258704541159484', 'group', 'main', 'protected'],
  ['agent:main:matrix:room:!AbCdEf:example.org', 'group', 'main', 'protected'],
  ['agent:main:matrix:channel:!AbCdEf:example.org', 'group', 'main', 'protected'],
  ['agent:work:signal:group:QUJDREVGR0g9', 'group', 'work', 'protected'],
  ['group:120363@g.us', 'group', null, 'protected'],
  ['agent:main:telegram:group:-100123:topic:7', 'thread', 'main', 'protected'],
  ['agent:main:telegram:direct:42:topic:7', 'thread', 'main', 'protected'],
  ['agent:main:slack:channel:c0abc123:thread:1712345678.000100', 'thread', 'main', 'protected'],
  ['agent:main:main:thread:9', 'thread', 'main', 'protected'],
  ['agent:main:agent:main:telegram:group:-1', 'group', 'main', 'protected'],
  ['AGENT:Main:Telegram:Group:-1', 'group', 'main', 'protected'],
  ['agent:main:whatsapp:group:cron', 'group', 'main', 'protected'],
  ['agent:main:discord:channel:subagent', 'group', 'main', 'protected'],
  [`agent:main:cron:${id}`, 'cron', 'main', 'errand'],
  [`agent:main:cron:${id}:run:${id}`, 'cron-run', 'main', 'errand'],
  [`agent:main:cron:${id}:run:${id}:thread:1`, 'cron-run', 'main', 'errand'],
  [`cron:${id}`, 'cron', null, 'errand'],
  [`agent:main:subagent:${id}`, 'subagent', 'main', 'errand'],
  [`agent:main:subagent:${id}:subagent:${id}`, 'subagent', 'main', 'errand'],
  [`agent:main:hook:${id}`, 'hook', 'main', 'errand'],
  ['agent:main:main:heartbeat', 'heartbeat', 'main', 'errand'],
  ['agent:main:telegram:group:-1:heartbeat', 'heartbeat', 'main', 'errand'],
  ['agent:main:heartbeat', 'heartbeat', 'main', 'errand'],
  [`agent:main:acp:${id}`, 'other', 'main', 'errand'],
  ['agent:main:acp:x:thread:1', 'thread', 'main', 'errand'],
  ['agent:main:acp-bridge:x', 'other', 'main', 'errand'],
  ['agent:main:node:pi', 'other', 'main', 'errand'],
  [`agent:main:explicit:model-run-${id}`, 'other', 'main', 'errand'],
  ['agent:main:explicit:gateway-fallback-1', 'other', 'main', 'ordinary'],
  ['agent:main:openai-user:alice@example.org', 'other', 'main', 'ordinary'],
  ['agent:main:dashboard:1', 'other', 'main', 'ordinary'],
  ['agent:main:nodes:1', 'other', 'main', 'ordinary'],
  ['unknown', 'other', null, 'ordinary'],
  ['agent:main', 'other', null, 'ordinary'],
  ['agent::main', 'other', null, 'ordinary'],
  ['', 'other', null, 'ordinary'],
  ['__proto__', 'other', null, 'ordinary'],
])('%s is a session of the kind %s', (key, kind, agentId, standing) => {
  expect(factsOfKey(key)).toEqual({ kind, agentId, standing })
})

it('a key of any length is taken at once', () => {
  const wrapped = `${'agent:main:'.repeat(20_000)}telegram:direct:42`
  expect(factsOfKey(wrapped)).toMatchObject({ kind: 'direct', agentId: 'main' })
  expect(factsOfKey(`agent:main:${':heartbeat'.repeat(100_000)}x`).kind).toBe('heartbeat')
})
