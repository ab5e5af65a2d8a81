import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { runCommand } from '../../host/commands.ts'
import type { Alert } from './alerts.ts'
import { tellReceivers } from './tell.ts'

const alert: Alert = {
  code: 'LOCK_OVERDUE',
  home: '/h',
  subject: '/h/x.lock',
  text: 'held for 12 minutes',
  state: 'raised',
  sinceMs: 1_764_000_000_000,
}
const place = () => ({ env: { PATH: process.env.PATH }, cwd: tmpdir() })

async function receiver(
  status: number,
): Promise<{ url: string; got: { body: string; headers: IncomingHttpHeaders }[] }> {
  const got: { body: string; headers: IncomingHttpHeaders }[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (part) => {
      body += part
    })
    request.on('end', () => {
      got.push({ body, headers: request.headers })
      response.writeHead(status).end()
    })
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  onTestFinished(() => {
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/secret`, got }
}

it('posts the alert as JSON', async () => {
  const { url, got } = await receiver(204)
  await tellReceivers(alert, { webhook: url, command: null }, runCommand, place())
  expect(JSON.parse(got[0]?.body ?? '')).toEqual({ ...alert, since: '2025-11-24T16:00:00.000Z' })
})

it('gives it to a program, which no shell reads', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-tell-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const into = join(folder, 'a $(b)')
  const script = 'require("fs").writeFileSync(process.argv[1], process.env.HOLDFAST_ALERT)'
  await tellReceivers(alert, { webhook: null, command: [process.execPath, '-e', script, into] }, runCommand, place())
  expect(JSON.parse(readFileSync(into, 'utf8'))).toMatchObject(alert)
})

it('tells the other one although the first fails, and then what failed, without the secret of the address', async () => {
  const { url, got } = await receiver(500)
  const told = tellReceivers(alert, { webhook: url, command: ['false'] }, runCommand, place())
  await expect(told).rejects.toMatchObject({
    code: 'ALERT_FAILED',
    facts: { because: expect.stringMatching(/answered 500$/) },
  })
  expect(got).toHaveLength(1)
})

it('says that nobody is there', async () => {
  const told = tellReceivers(alert, { webhook: 'http://127.0.0.1:1/secret', command: null }, runCommand, place())
  await expect(told).rejects.toMatchObject({ facts: { because: 'http://127.0.0.1:1 cannot be reached' } })
})
