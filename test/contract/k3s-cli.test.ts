import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, test } from 'vitest';
import { bundleStandIn } from '../lab/bundle.ts';
import { k3sCliContract } from './k3s-cli.ts';

const folder = mkdtempSync(join(tmpdir(), 'slipway-k3s-cli-'));
const standIn = join(folder, 'k3s');

beforeAll(() => bundleStandIn('k3s', standIn, { K3S_VERSION: 'v1.36.3+k3s1' }));
afterAll(() => rmSync(folder, { recursive: true }));

k3sCliContract('the stand-in of the lab', () => standIn);

const real = process.env.SLIPWAY_REAL_K3S;
if (real) {
  k3sCliContract('the real executable', () => real);
} else {
  test.skip('the real k3s executable keeps the contract (to run this, set SLIPWAY_REAL_K3S to its path)', () => {});
}
