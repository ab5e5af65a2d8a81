import { describe, expect, it } from 'vitest'
import { variablesOf, withVariables } from './variables.ts'

/** Text with references, which a template here would fill in. */
const text = (written: string) => written.replaceAll('@', '$')

describe('a variable in a configuration', () => {
  const env: Record<string, string> = { A: '1', B_2: 'two', EMPTY: '' }
  const filled = (written: unknown) => {
    const missing = new Set<string>()
    return [withVariables(written, (name) => env[name], missing), [...missing]]
  }

  it.each([
    ['@{A}', '1', []],
    ['x-@{A}-@{B_2}-y', 'x-1-two-y', []],
    ['@@{A}', '@{A}', []],
    ['@@@{A}', '@@{A}', []],
    ['@@@@{A}', '@@@{A}', []],
    ['@{MISSING}/@{A}', '@{MISSING}/1', ['MISSING']],
    ['@{EMPTY}', '@{EMPTY}', ['EMPTY']],
    ['@{lower}@{1A}@{A-B}@{}@A{A', '@{lower}@{1A}@{A-B}@{}@A{A', []],
    ['@{@{A}}', '@{1}', []],
    ['no reference, 5 @', 'no reference, 5 @', []],
  ])('%s becomes %s', (written, expected, missing) => {
    expect(filled(text(written))).toEqual([text(expected), missing])
  })

  it('is put in everywhere, but not in names', () => {
    const written = { [text('@{A}')]: [text('@{A}'), { deep: text('@{B_2}') }], number: 5, none: null }
    expect(filled(written)).toEqual([{ [text('@{A}')]: ['1', { deep: 'two' }], number: 5, none: null }, []])
  })

  it('whose value looks like a reference is left as it is', () => {
    const odd = withVariables(text('@{X}'), () => text('@{A} $& @1'), new Set())
    expect(odd).toBe(text('@{A} $& @1'))
  })
})

describe('variables that a configuration sets', () => {
  it('stand under env, and under env.vars, which lose', () => {
    const found = variablesOf({ A: '1', vars: { A: '2', B: '3' }, shellEnv: { enabled: true } })
    expect(Object.fromEntries(found)).toEqual({ A: '1', B: '3' })
  })
  it('are left out where they are empty, no text, or name another', () => {
    const found = variablesOf({ A: ' ', B: 5, C: text('@{HOME}'), D: text('@@{HOME}'), vars: null })
    expect(Object.fromEntries(found)).toEqual({ D: text('@@{HOME}') })
    expect(variablesOf('text').size).toBe(0)
  })
})
