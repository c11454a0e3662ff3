import { execFileSync, spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { acquireLock } from '../../../src/agent/host/files/lock.ts';
import type { Azure } from '../../lab/azure/index.ts';
import {
  bundleLauncher,
  bundleWithDeadline,
  endOf,
  loginServer,
  node,
  nodeWithSettings,
  refusal,
  requestFor,
  startRegistries,
} from './world.ts';

const folder = mkdtempSync(join(tmpdir(), 'slipway-provider-'));
let azure: Azure;
/** Four seconds leave a busy machine time to start, and are fewer than the adapters' own five and ten. */
let hurried: string;
let impatient: string;
beforeAll(async () => {
  azure = await startRegistries();
  hurried = await bundleWithDeadline(folder, 4_000);
  impatient = await bundleWithDeadline(folder, 1_000);
}, 60_000);
beforeEach(() => {
  azure.node('vm').faults.heal();
  azure.registry().faults.heal();
});
afterAll(async () => {
  await azure.stop();
  rmSync(folder, { recursive: true });
});

test.each([
  ['metadata service', () => azure.node('vm').faults.fail('hang')],
  ['registry', () => azure.registry().faults.fail('hang')],
])('a %s that never answers is not waited for beyond the deadline', async (_, arrange) => {
  arrange();
  const vm = await nodeWithSettings(azure);
  expect(refusal(await vm.provide(hurried))).toMatch(/: no credential for team\.azurecr\.io within 4 s; /);
});

test('nor is one who holds the lock and lives on', async () => {
  const vm = await nodeWithSettings(azure);
  const release = await acquireLock(`${vm.paths.providerLock}.${loginServer}`);
  expect(refusal(await vm.provide(hurried))).toMatch(/: no credential for team\.azurecr\.io within 4 s; /);
  await release();
});

describe('a request', () => {
  test.each([
    ['that never comes', ''],
    ['that does not end', requestFor(`${loginServer}/base:1`).slice(0, 40)],
  ])('%s is not waited for beyond the deadline', async (_, part) => {
    const vm = await nodeWithSettings(azure);
    const path = join(vm.root, 'stdin');
    execFileSync('mkfifo', [path]);
    const writable = openSync(path, 'r+');
    if (part) writeSync(writable, part);
    const args = [impatient, 'credential-provider', '--root', vm.root];
    const ended = endOf(spawn(node, args, { env: {}, stdio: [writable, 'pipe', 'pipe'] }));
    closeSync(writable);
    expect(refusal(await ended)).toMatch(/: the request on stdin did not end within 1 s; close stdin/);
  });

  test('that has ended is read, however late the process comes to it', async () => {
    azure.registry().faults.fail('hang');
    const vm = await nodeWithSettings(azure);
    const path = join(vm.root, 'request');
    vm.write(path, requestFor(`${loginServer}/base:1`));
    const args = [await bundleWithDeadline(folder, 1), 'credential-provider', '--root', vm.root];
    const ended = endOf(spawn(node, args, { env: {}, stdio: [openSync(path, 'r'), 'pipe', 'pipe'] }));
    expect(refusal(await ended)).toMatch(/: no credential for team\.azurecr\.io within 0\.001 s; /);
  });

  test('that is longer than a pipe holds is read whole', async () => {
    const vm = await nodeWithSettings(azure);
    const script = await bundleLauncher(folder);
    const path = join(vm.root, 'request');
    vm.write(path, requestFor(`${loginServer}/base:1`, { later: 'x'.repeat(500_000) }));
    const shell = 'cat "$1" | "$2" "$3" credential-provider --root "$4"';
    const child = spawn('/bin/sh', ['-c', shell, 'sh', path, node, script, vm.root]);
    expect(JSON.parse((await endOf(child)).stdout).auth).toHaveProperty([loginServer]);
  });
});
