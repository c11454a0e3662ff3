import { describe, expect, test } from 'vitest';
import {
  endRotation,
  isOpen,
  type RotationRecord,
  readRotation,
  rotationTokens,
  writeRotation,
} from '../../../../../../src/agent/parts/k3s/membership/rotation-record.ts';
import { nodePaths } from '../../../../../../src/agent/paths.ts';
import { memoryHost } from '../../../../../lab/memory-host.ts';

const paths = nodePaths('/');
const file = '/var/lib/slipway/token-rotation.json';
const record: RotationRecord = {
  from: '0123456789ab',
  to: 'ba9876543210',
  state: 'begun',
  tokens: { from: 'swordfish\n', to: 'K10::server:marlin\n' },
};

test('the record of a rotation is read back, in a 0600 file, and its tokens are not shown', async () => {
  const host = memoryHost();
  expect(await readRotation(host, paths)).toBeUndefined();
  await writeRotation(host, paths, record);
  expect(await readRotation(host, paths)).toEqual(record);
  expect(host.files.read(file)?.mode).toBe(0o600);
  expect(JSON.stringify(host.journal)).not.toMatch(/swordfish|marlin/);
});

test('the end of a rotation forgets both tokens', async () => {
  const host = memoryHost();
  await endRotation(host, { paths }, { ...record, refused: [record.to], invocation: 'start-1' });
  expect(JSON.parse(host.files.text(file) ?? '')).toEqual({
    format: 1,
    from: record.from,
    to: record.to,
    state: 'done',
  });
});

test.each(['x0123456789ab', '0123456789abx', '0123456789', ''])(
  'a record with the digest %j counts as lost',
  async (digest) => {
    const host = memoryHost();
    await writeRotation(host, paths, { ...record, from: digest });
    expect(await readRotation(host, paths)).toBeUndefined();
  },
);

describe('isOpen', () => {
  test.each([
    [undefined, false],
    [{ ...record, state: 'wanted' }, false],
    [record, true],
    [{ ...record, state: 'rotated' }, true],
    [{ ...record, state: 'done' }, false],
    [{ ...record, tokens: undefined }, false],
  ] as const)('judges $0 as $1', (found, expected) => {
    expect(isOpen(found)).toBe(expected);
  });
});

test('rotationTokens parses both tokens', () => {
  const tokens = { from: 'swordfish\n', to: 'two words' };
  expect(rotationTokens({ ...record, tokens })).toMatchObject({
    from: { credential: 'swordfish' },
    to: undefined,
  });
});
