import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

// Threads and programs that tests start by the hundred compile each file once.
process.env.NODE_COMPILE_CACHE ??= fileURLToPath(new URL('node_modules/.cache/compiled', import.meta.url))

const minuteMs = 60_000
const trees = ['src', 'test', 'bench', 'examples']
const named = (ending: string) => trees.map((tree) => `${tree}/**/*${ending}`)

export default defineConfig({
  ssr: { resolve: { conditions: ['holdfast-source', 'module', 'node'] } },
  test: {
    pool: 'forks',
    maxWorkers: 2,
    reporters: ['default', './test/reporters/closing-line.ts'],
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          testTimeout: minuteMs / 2, // seconds of pure work take longer on a busy machine
          include: named('.test.ts'),
          exclude: [
            ...named('.int.test.ts'),
            ...named('.long.test.ts'),
            ...named('.release.test.ts'),
            ...named('.cluster.test.ts'),
          ],
        },
      },
      {
        extends: true,
        test: {
          name: 'int',
          include: named('.int.test.ts'),
          testTimeout: minuteMs,
          hookTimeout: minuteMs,
        },
      },
      {
        extends: true,
        test: {
          name: 'long',
          include: named('.long.test.ts'),
          testTimeout: 10 * minuteMs,
          hookTimeout: 10 * minuteMs,
        },
      },
      {
        extends: true,
        test: {
          name: 'cluster', // several gateways on one database, for ten minutes: they want a machine of their own
          include: named('.cluster.test.ts'),
          testTimeout: 25 * minuteMs,
          hookTimeout: minuteMs,
        },
      },
      {
        extends: true,
        test: {
          name: 'releases', // real gateways, which have to be installed first: see CONTRIBUTING.md
          include: named('.release.test.ts'),
          testTimeout: 20 * minuteMs,
          hookTimeout: 5 * minuteMs,
          fileParallelism: false,
        },
      },
    ],
  },
})
