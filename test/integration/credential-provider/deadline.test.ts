import { execFileSync, spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
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
let withoutMetadata: Azure;
let withoutRegistry: Azure;
/**
 * The path of a bundle whose deadline of 4 s is long enough for a start on a busy machine, but shorter than the
 * adapters' timeouts.
 */
let hurried: string;
let impatient: string;
beforeAll(async () => {
  azure = await startRegistries();
  withoutMetadata = await startRegistries();
  withoutMetadata.node('vm').faults.fail('hang');
  withoutRegistry = await startRegistries();
  withoutRegistry.registry().faults.fail('hang');
  hurried = await bundleWithDeadline(folder, 4_000);
  impatient = await bundleWithDeadline(folder, 1_000);
});
afterAll(async () => {
  await Promise.all([azure, withoutMetadata, withoutRegistry].map((each) => each.stop()));
  rmSync(folder, { recursive: true });
});

// The tests run concurrently, since they mostly wait.
describe.concurrent('the deadline of the credential provider', () => {
  test.for([
    ['metadata service', () => withoutMetadata],
    ['registry', () => withoutRegistry],
  ] as const)('ends the wait for a %s that never answers', async ([, world], { onTestFinished }) => {
    const vm = await nodeWithSettings(world(), {}, onTestFinished);
    expect(refusal(await vm.provide(hurried))).toMatch(/: no credential for team\.azurecr\.io within 4 s; /);
  });

  test('ends the wait for a running process that holds the lock', async ({ onTestFinished }) => {
    const vm = await nodeWithSettings(azure, {}, onTestFinished);
    const release = await acquireLock(`${vm.paths.providerLock}.${loginServer}`);
    expect(refusal(await vm.provide(hurried))).toMatch(/: no credential for team\.azurecr\.io within 4 s; /);
    await release();
  });

  test.for([
    ['that never comes', ''],
    ['that does not end', requestFor(`${loginServer}/base:1`).slice(0, 40)],
  ] as const)('ends the wait for a request %s', async ([, part], { onTestFinished }) => {
    const vm = await nodeWithSettings(azure, {}, onTestFinished);
    const path = join(vm.root, 'stdin');
    execFileSync('mkfifo', [path]);
    const writable = openSync(path, 'r+');
    if (part) {
      writeSync(writable, part);
    }
    const args = [impatient, 'credential-provider', '--root', vm.root];
    const ended = endOf(spawn(node, args, { env: {}, stdio: [writable, 'pipe', 'pipe'] }));
    closeSync(writable);
    expect(refusal(await ended)).toMatch(/: the request on stdin did not end within 1 s; close stdin/);
  });

  test('does not interrupt the reading of a complete request', async ({ onTestFinished }) => {
    const vm = await nodeWithSettings(withoutRegistry, {}, onTestFinished);
    const path = join(vm.root, 'request');
    vm.write(path, requestFor(`${loginServer}/base:1`));
    const args = [await bundleWithDeadline(folder, 1), 'credential-provider', '--root', vm.root];
    const ended = endOf(spawn(node, args, { env: {}, stdio: [openSync(path, 'r'), 'pipe', 'pipe'] }));
    expect(refusal(await ended)).toMatch(/: no credential for team\.azurecr\.io within 0\.001 s; /);
  });
});

test('the credential provider reads a request that is larger than the buffer of a pipe', async () => {
  const vm = await nodeWithSettings(azure);
  const script = await bundleLauncher(folder);
  const path = join(vm.root, 'request');
  vm.write(path, requestFor(`${loginServer}/base:1`, { later: 'x'.repeat(500_000) }));
  const shell = 'cat "$1" | "$2" "$3" credential-provider --root "$4"';
  const child = spawn('/bin/sh', ['-c', shell, 'sh', path, node, script, vm.root]);
  expect(JSON.parse((await endOf(child)).stdout).auth).toHaveProperty([loginServer]);
});
