import { expect, test } from 'vitest';
import { remembering } from '../../../../src/agent/engine/remembering.ts';

function counted<Result>(make: (text: string) => Result, most?: number) {
  const made: string[] = [];
  const known = remembering((text) => {
    made.push(text);
    return make(text);
  }, most);
  return { known, made };
}

test('makes the result of a text once, also where it is undefined', () => {
  const { known, made } = counted((text) => (text === 'none' ? undefined : { text }));
  expect(known('a')).toBe(known('a'));
  expect([known('none'), known('none')]).toEqual([undefined, undefined]);
  expect(made).toEqual(['a', 'none']);
});

test('forgets the text that was asked for longest ago', () => {
  const { known, made } = counted((text) => text, 2);
  for (const text of ['a', 'b', 'a', 'c', 'a', 'b', 'c']) expect(known(text)).toBe(text);
  expect(made).toEqual(['a', 'b', 'c', 'b', 'c']);
});

test('remembers eight texts, and none of more than 64 KiB', () => {
  const { known, made } = counted((text) => text.length);
  const texts = Array.from({ length: 8 }, (_, length) => 'x'.repeat(length + 65_529));
  for (const text of [...texts, ...texts]) known(text);
  expect(made).toEqual(texts);
  const longer = 'x'.repeat(65_537);
  known(longer);
  known(longer);
  expect(made.slice(8)).toEqual([longer, longer]);
});

test('tries again after an error', () => {
  let isBroken = true;
  const { known } = counted((text) => {
    if (isBroken) throw new Error('broken');
    return text;
  });
  expect(() => known('a')).toThrow('broken');
  isBroken = false;
  expect(known('a')).toBe('a');
});
