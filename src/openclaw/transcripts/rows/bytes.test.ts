import { describe, expect, it } from 'vitest'
import { asUtf8, loneEscapes } from './bytes.ts'
import { members, nesting } from './json.ts'

describe('escapes of half a character', () => {
  it.each([
    ['\\ud83d', [0]],
    ['\\ude00', [0]],
    ['\\ud83d\\ude00', []],
    ['\\uD83D\\uDE00', []],
    ['\\ud83d\\ud83d\\ude00', [0]],
    ['\\ude00\\ud83d', [0, 6]],
    ['\\\\ud83d', []],
    ['\\\\\\ud83d', [2]],
    ['\\ud83dx\\ude00', [0, 7]],
    ['\\ud83d\\n\\ude00', [0, 8]],
    ['\\ud83', []],
    ['\\u00e9', []],
    ['x\\', []],
  ])('in %s', (text, found) => expect(loneEscapes(Buffer.from(text))).toEqual(found))
})

describe('bytes that are no UTF-8', () => {
  it.each([
    ['plain', 'plain', false],
    ['\xed\xa0\xbd', '\ufffd', true],
    ['\xed\xb8\x80', '\ufffd', true],
    ['\xed\xa0\xbd\xed\xb8\x80', '😀', false],
    ['\xed\xa0\xbd\xed\xa0\xbd\xed\xb8\x80', '\ufffd😀', true],
    ['\xed\x9f\xbf', '\ud7ff', false],
    ['\xed\xa0', '\ufffd\ufffd', false],
    ['\xff', '\ufffd', false],
    ['\xf0\x9f\x98', '\ufffd', false],
  ])('%j', (text, becomes, lone) => {
    const { data, lone: found } = asUtf8(Buffer.from(text, 'latin1'))
    expect(data.toString()).toBe(becomes)
    expect(found).toBe(lone)
  })
})

describe('JSON as bytes', () => {
  it('has members where they stand, whatever they hold', () => {
    const text = '{ "a" : "x\\"}{" , "b":[1,{"a":2}],"\\u0063":-1.5e3 ,"d":null}'
    const found = members(Buffer.from(text)).map(({ name, start, end }) => [name, text.slice(start, end)])
    expect(found).toEqual([
      ['a', '"x\\"}{"'],
      ['b', '[1,{"a":2}]'],
      ['c', '-1.5e3'],
      ['d', 'null'],
    ])
  })
  it.each([
    ['1', 0],
    ['{}', 1],
    ['{"a":[[]],"b":"[[[[["}', 3],
  ])('is nested: %s', (text, depth) => expect(nesting(Buffer.from(text))).toBe(depth))
})
