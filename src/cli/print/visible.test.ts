import { describe, expect, it } from 'vitest'
import { visibleLine, visibleText } from './visible.ts'

describe('text of people on a terminal', () => {
  it('keeps words, line breaks and tabs', () => expect(visibleText('a\tb\nč 你 🙂')).toBe('a\tb\nč 你 🙂'))
  it.each([
    ['an escape sequence that clears the screen', '\u001b[2J', '␛[2J'],
    ['one that sets the title', '\u001b]0;x\u0007', '␛]0;x␇'],
    ['a carriage return that overwrites the line', 'safe\rrm', 'safe␍rm'],
    ['a C1 control that begins a sequence', '\u009b31m', '<U+009B>31m'],
    ['a backspace and a delete', 'a\b\u007f', 'a␈␡'],
    ['a direction override', 'user\u202etxt', 'user<U+202E>txt'],
  ])('shows %s as symbols', (_, text, shown) => expect(visibleText(text)).toBe(shown))
  it('is one line in a cell', () => expect(visibleLine(' a\n\n\tb\u001bc ')).toBe('a b␛c'))
})
