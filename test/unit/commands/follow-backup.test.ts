import { describe, expect, test } from 'vitest';
import { NodeError } from '../../../src/agent/engine/errors.ts';
import { followBackup } from '../../../src/commands/follow-backup.ts';
import type { MemoryHost } from '../../lab/memory-host.ts';
import { settle } from '../agent/a-node.ts';
import { to, type World, world } from '../agent/parts/backup/a-backup.ts';
import { paths } from '../agent/parts/k3s/datastore/a-datastore.ts';

interface Said {
  readonly out: string[];
  readonly error: string[];
}

/** Follows a backup while the daemon makes one step a second. */
async function follow(machine: World, during: (world: MemoryHost) => unknown = () => {}) {
  const said: Said = { out: [], error: [] };
  const { host, resource } = machine;
  const tell = { out: (line: string) => said.out.push(line), error: (line: string) => said.error.push(line) };
  const stepping = new Proxy(host, {
    get: (target, name) =>
      name === 'sleep'
        ? async (time: number) => {
            await during(host);
            await settle(resource, host, 1);
            await host.sleep(time);
          }
        : (Reflect.get(target, name).bind?.(target) ?? Reflect.get(target, name)),
  });
  const code = await followBackup(stepping, paths, { to, timeout: 600_000 }, tell);
  return { code, ...said };
}

/** Writes the status of the last pass with a condition about backups. */
function report(host: MemoryHost, conditions: readonly object[]): void {
  const updated = new Date(host.now()).toISOString();
  const status = {
    version: '1',
    updated,
    nextPass: { at: updated, because: 'x' },
    conditions,
    resources: [],
  };
  host.files.write(paths.slipway.status, JSON.stringify({ format: 1, ...status }));
}

const failing = {
  ...{ type: 'Backup', status: 'False', reason: 'StoreNotFound', message: 'Mount it.' },
  lastTransitionTime: '2026-11-30T12:00:00Z',
};

describe('slipway backup', () => {
  test('shows each step of the daemon, and ends with 0 once the backup is proven', async () => {
    const { code, out, error } = await follow(world());
    expect(code).toBe(0);
    expect(error).toEqual([]);
    const id = '20261130T120000Z-vm-1';
    expect(out).toEqual([
      `${id}: Slipway copies the datastore ...`,
      `${id}: Slipway compresses the copy ...`,
      `${id}: Slipway stores it ...`,
      `${id}: Slipway fetches it again and opens it ...`,
      `${id} is proven: 1 MB in ${to}.`,
    ]);
  });

  test('ends with 1 and the reason if the backup is given up', async () => {
    const machine = world();
    const { code, error } = await follow(machine, () => {
      for (const name of machine.store.names().filter((each) => each.endsWith('.zst'))) {
        machine.store.damage(name, 'other bytes');
      }
    });
    expect(code).toBe(1);
    expect(error.join()).toContain('does not count');
  });

  test('ends with 1 and the message of the condition if a step fails', async () => {
    const machine = world();
    machine.store.exists = false;
    const { code, error } = await follow(machine, (host) => report(host, [failing]));
    expect(code).toBe(1);
    expect(error).toEqual(['StoreNotFound: Mount it. The daemon tries again.']);
  });

  test('shows once why a step is tried again', async () => {
    const machine = world();
    const fails = new NodeError('Unreachable', 'The store does not answer.');
    machine.store.fault('put', { fails, when: 'before' }).fault('put', { fails, when: 'before' });
    const unknown = { ...failing, status: 'Unknown', reason: fails.reason, message: fails.message };
    const { code, out } = await follow(machine, (host) => {
      const isStoring = host.files.text(paths.slipway.backups)?.includes('packed') === true;
      report(host, [isStoring ? unknown : { ...failing, status: 'True', reason: 'Changed' }]);
    });
    expect(code).toBe(0);
    expect(out.filter((line) => line.includes('does not answer'))).toEqual([
      'Unreachable: The store does not answer. Slipway tries again ...',
    ]);
  });

  test('ends with 1 on a node whose daemon makes no backups', async () => {
    const machine = world({ unit: { ActiveState: 'inactive' } });
    const { code, error } = await follow(machine, (host) => report(host, []));
    expect(code).toBe(1);
    expect(error.join()).toContain('This node makes no backups');
  });

  test('ends with 1 and names the acting server while another one acts for the cluster', async () => {
    const machine = world({ unit: { ActiveState: 'inactive' } });
    const acting = {
      ...{ type: 'Backup', status: 'True', reason: 'InSync', message: 'vm-2 acts for the cluster' },
      lastTransitionTime: '2026-11-30T12:00:00Z',
    };
    const { code, error } = await follow(machine, (host) => report(host, [acting]));
    expect(code).toBe(1);
    expect(error).toEqual(['This server does not begin a backup: vm-2 acts for the cluster.']);
    expect(machine.host.files.stat(paths.slipway.backupRequest)).toBeUndefined();
  });

  test('waits while an earlier backup is under way, which began before the request', async () => {
    const machine = world();
    for (let at = 0; at < 5; at += 1) {
      await settle(machine.resource, machine.host, 1);
    }
    machine.host.advance(1_000);
    const { code, out } = await follow(machine, (host) =>
      report(host, [{ ...failing, status: 'True', reason: 'Changed', message: 'stored it' }]),
    );
    expect(code).toBe(0);
    expect(out.at(-1)).toMatch(/^20261130T12000[1-9]Z-vm-1 is proven/);
  });

  test('ends with 1 after the longest wait, and no longer asks for a backup that has not begun', async () => {
    const machine = world({ unit: { ActiveState: 'inactive' } });
    const { code, error } = await follow(machine);
    expect(code).toBe(1);
    expect(error.join()).toContain('has not begun');
    expect(machine.host.files.stat(paths.slipway.backupRequest)).toBeUndefined();
  });

  test('ends with 1 after the longest wait, while the daemon continues with the backup', async () => {
    const machine = world();
    const { code, error } = await follow(machine, (host) => {
      if (host.files.text(paths.slipway.backups)?.includes('packed')) {
        host.advance(600_000);
      }
    });
    expect(code).toBe(1);
    expect(error.join()).toContain('The daemon continues');
  });
});
