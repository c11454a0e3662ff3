import { expect, test } from 'vitest';
import {
  readFounding,
  writeFounding,
} from '../../../../../../../src/agent/parts/k3s/membership/founding/record.ts';
import { nodePaths } from '../../../../../../../src/agent/paths.ts';
import { memoryHost } from '../../../../../../lab/memory-host.ts';

const paths = nodePaths('/');
const { founding } = paths.slipway;

test('the record reads back as it was written, and only root may read it', async () => {
  const host = memoryHost();
  const record = { state: 'founds', nonce: 'n-1', claimed: 'd-1', at: 1 } as const;
  await writeFounding(host, paths, record);
  expect(await readFounding(host, paths)).toEqual(record);
  expect(host.files.snapshot()[founding]).toMatch(/^0600 /);
});

test.each([
  ['is missing', {}],
  ['is damaged', { [founding]: '{"format":1,"state":' }],
  ['has an unknown state', { [founding]: '{"format":1,"state":"guessed","at":1}' }],
])('nothing is decided if the record %s', async (_, files) => {
  expect(await readFounding(memoryHost({ files }), paths)).toBeUndefined();
});
