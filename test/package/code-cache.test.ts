import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { loadProgram } from '../../src/launcher/program.ts';

const program = readFileSync('dist/program.cjs');

test('V8 accepts the code cache', () => {
  const { script, exports } = loadProgram(program, readFileSync(`dist/.cache/${process.arch}/program.cache`));
  expect(script.cachedDataRejected).toBe(false);
  expect(exports.main).toBeTypeOf('function');
});

test('the program loads despite a code cache that V8 rejects', () => {
  // V8 remembers compiled code, so the source must differ from that of the first test.
  const source = Buffer.concat([program, Buffer.from('\n')]);
  const { script, exports } = loadProgram(source, Buffer.from('no cache of this V8 at all'));
  expect(script.cachedDataRejected).toBe(true);
  expect(exports.main).toBeTypeOf('function');
});
