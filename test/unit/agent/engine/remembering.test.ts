import { expect, test } from 'vitest';
import {
  forgetUnasked,
  remembering,
  rememberingData,
  rememberingObjects,
} from '../../../../src/agent/engine/remembering.ts';

function counted<Result>(make: (text: string) => Result) {
  const made: string[] = [];
  const known = remembering((text) => {
    made.push(text);
    return make(text);
  });
  return { known, made };
}

test('remembering computes the result for a text only once, even if the result is undefined', () => {
  const { known, made } = counted((text) => (text === 'none' ? undefined : { text }));
  expect(known('a', '/a')).toBe(known('a', '/a'));
  expect([known('none', '/none'), known('none', '/none')]).toEqual([undefined, undefined]);
  expect(made).toEqual(['a', 'none']);
});

test('remembering computes a new result when the text of a file changes, and drops the old result', () => {
  const { known, made } = counted((text) => text);
  for (const text of ['old', 'new', 'old']) {
    expect(known(text, '/a')).toBe(text);
  }
  expect(made).toEqual(['old', 'new', 'old']);
});

test('remembering keeps the results of any number of files of any length', () => {
  const { known, made } = counted((text) => text.length);
  const texts = Array.from({ length: 80 }, (_, length) => 'x'.repeat(length * 1_000));
  for (const text of [...texts, ...texts]) {
    known(text, `/${text.length}`);
  }
  expect(made).toEqual(texts);
});

test('remembering gives the name of the file to the function that computes the result', () => {
  const known = remembering((text, name) => `${name}: ${text}`);
  expect(known('a', '/a')).toBe('/a: a');
});

test('rememberingData computes a new result only if the data or the order of its keys differs', () => {
  const made: unknown[] = [];
  const known = rememberingData((data: unknown) => made.push(data));
  for (const data of [{ a: 1, b: [2] }, { a: 1, b: [2] }, { b: [2], a: 1 }, { a: Infinity }, { a: null }]) {
    known(data, '/a');
  }
  expect(made).toEqual([{ a: 1, b: [2] }, { b: [2], a: 1 }, { a: Infinity }, { a: null }]);
});

test('rememberingObjects computes the result for an object only once, even if the result is undefined', () => {
  const made: string[] = [];
  const known = rememberingObjects(({ name }: { readonly name: string }) => {
    made.push(name);
    return name === 'none' ? undefined : { name };
  });
  const [a, same, none] = [{ name: 'a' }, { name: 'a' }, { name: 'none' }];
  expect(known(a)).toBe(known(a));
  expect(known(same)).not.toBe(known(a));
  expect([known(none), known(none)]).toEqual([undefined, undefined]);
  expect(made).toEqual(['a', 'a', 'none']);
});

test('forgetUnasked forgets the files that no caller has requested since the last call of forgetUnasked', () => {
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

test('remembering computes the result again after an error, and keeps no result from before the error', () => {
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
