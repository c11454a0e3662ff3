import { expect, test } from 'vitest';
import { forgetUnasked, remembering } from '../../../../src/agent/engine/remembering.ts';

function counted<Result>(make: (text: string) => Result) {
  const made: string[] = [];
  const known = remembering((text) => {
    made.push(text);
    return make(text);
  });
  return { known, made };
}

test('computes the result of a text once, even if it is undefined', () => {
  const { known, made } = counted((text) => (text === 'none' ? undefined : { text }));
  expect(known('a', '/a')).toBe(known('a', '/a'));
  expect([known('none', '/none'), known('none', '/none')]).toEqual([undefined, undefined]);
  expect(made).toEqual(['a', 'none']);
});

test('computes the result of a changed text again, and drops the old one', () => {
  const { known, made } = counted((text) => text);
  for (const text of ['old', 'new', 'old']) {
    expect(known(text, '/a')).toBe(text);
  }
  expect(made).toEqual(['old', 'new', 'old']);
});

test('remembers any number of files of any length', () => {
  const { known, made } = counted((text) => text.length);
  const texts = Array.from({ length: 80 }, (_, length) => 'x'.repeat(length * 1_000));
  for (const text of [...texts, ...texts]) {
    known(text, `/${text.length}`);
  }
  expect(made).toEqual(texts);
});

test('forgets the files that no caller asked about', () => {
  const { known, made } = counted((text) => text);
  known('kept', '/kept');
  known('gone', '/gone');
  forgetUnasked();
  known('kept', '/kept');
  forgetUnasked();
  for (const text of ['kept', 'gone']) {
    known(text, `/${text}`);
  }
  expect(made).toEqual(['kept', 'gone', 'gone']);
});

test('tries again after an error, and forgets the text before it', () => {
  let isBroken = false;
  const { known, made } = counted((text) => {
    if (isBroken) {
      throw new Error('broken');
    }
    return text;
  });
  known('a', '/a');
  isBroken = true;
  expect(() => known('b', '/a')).toThrow('broken');
  isBroken = false;
  expect([known('b', '/a'), known('a', '/a')]).toEqual(['b', 'a']);
  expect(made).toEqual(['a', 'b', 'b', 'a']);
});
