import { expect, it } from 'vitest'
import { afterFault } from './crash.ts'

it.each([2, 260, 700])('keeps what was told when it is killed at its write number %i', async (number) => {
  const { ended, problems } = await afterFault({ call: 'pwrite64', what: 'signal=KILL', when: String(number) })
  expect([ended, problems]).toEqual([false, []])
})

it.each([3, 20])('keeps what was told when it is killed at its fsync number %i', async (number) => {
  const { ended, problems } = await afterFault({ call: 'fsync', what: 'signal=KILL', when: String(number) })
  expect([ended, problems]).toEqual([false, []])
})

it('goes on after the disk was full for some writes, and says so meanwhile', async () => {
  const found = await afterFault({ call: 'pwrite64', what: 'error=ENOSPC', when: '400..402' })
  expect(found).toMatchObject({ ended: true, refusals: ['STORE_FULL'], problems: [] })
})

it('goes on after the disk failed to sync', async () => {
  const found = await afterFault({ call: 'fsync', what: 'error=EIO', when: '20' })
  expect(found).toMatchObject({ ended: true, problems: [] })
})
