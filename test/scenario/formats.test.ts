import { describe, expect, test } from 'vitest';
import { type OwnFile, ownFiles } from '../../src/agent/own-files.ts';
import { nodePaths } from '../../src/agent/paths.ts';
import { readStatus, statusOf, writeStatus } from '../../src/agent/report/status.ts';
import { namesOf, roles } from '../../src/roles/index.ts';
import { newerText } from '../lab/newer-release.ts';
import { isForeign } from '../unit/agent/foreign-files.ts';
import { condition, isReady, live, registry, type Vm, vm } from './a-vm.ts';

const minute = 60_000;
const paths = nodePaths('/');
const image = `${registry}/base/alpine:3.22`;
const settings = `registries: { onRotate: never, proof: ["${image}"] }\n`;

type Name = keyof typeof ownFiles;

/** Files tested elsewhere: only the Host, commands, turns, reboots, upgrades, rotations and kubelet write them. */
const elsewhere = [
  ...([
    'providerFailure',
    'drain',
    'partialDownload',
    'turn',
    'reboot',
    'hold',
    'datastoreCopy',
    'backups',
    'backupRequest',
    'backupManifest',
    'upgrade',
    'tokenRotation',
    'passwordsSaved',
    'channel',
    'founding',
    'restore',
    'job',
  ] as const),
] as const;

/** Boots a node until it is Ready, and writes its status, so that all files of the daemon and of K3s's unit exist. */
async function up(role: string): Promise<Vm> {
  const machine = vm(role, settings);
  machine.cloud.images.set(image, machine.acr.push('base/alpine', '3.22', 3_000_000));
  const report = await live(machine.slipway(), machine, minute, isReady);
  const status = statusOf(report, { version: '1.2.3', pid: 42, now: machine.host.now() });
  await writeStatus(machine.host, paths.slipway.status, status);
  return machine;
}

/** Returns the existing files of Slipway, by name. */
function present({ host }: Vm): readonly (readonly [Name, OwnFile & { readonly path: string }])[] {
  return Object.entries(ownFiles)
    .map(([name, file]) => [name as Name, { ...file, path: file.place(paths) }] as const)
    .filter(([, { path }]) => host.files.stat(path) !== undefined);
}

function rewrite({ host }: Vm, path: string, change: (text: string) => string): void {
  const found = host.files.read(path);
  host.files.write(path, change(found?.content ?? ''), found?.mode);
}

/** Returns the mutations of the machine after the first `length`, each as `kind path`. */
function doneSince({ host }: Vm, length: number): readonly string[] {
  return host.journal.slice(length).map((action) => `${action.kind} ${'path' in action ? action.path : ''}`);
}

describe.each(namesOf(roles))('the files of Slipway on a node with the role %s', (role) => {
  test('begin with their format number', async () => {
    const machine = await up(role);
    const own = present(machine);
    const missing = Object.keys(ownFiles).filter((name) => !own.some(([each]) => each === name));
    const isServer = machine.host.files.stat(paths.k3s.serverToken) !== undefined;
    expect(missing).toEqual([...(isServer ? [] : ['startedWith', 'publicRelease']), ...elsewhere]);
    for (const [, { path, format }] of own) {
      expect(machine.host.files.text(path)).toMatch(new RegExp(`^\\{\\n {2}"format": ${format},\\n`));
    }
  });

  test('are all listed in ownFiles, except files in the formats of other programs', async () => {
    const machine = await up(role);
    const own = present(machine).map(([, { path }]) => path);
    const written = Object.keys(machine.host.files.snapshot()).filter((path) =>
      /^\/(run|var\/lib)\/(.+\/)?slipway/.test(path),
    );
    expect(written).toEqual(expect.arrayContaining([...own]));
    expect(written.filter((path) => !own.includes(path) && !isForeign(path))).toEqual([]);
  });

  test('are accepted from a newer release without a restart of K3s or a new pull check', async () => {
    const machine = await up(role);
    for (const [, { path }] of present(machine)) {
      rewrite(machine, path, newerText);
    }
    const { length } = machine.host.journal;
    const report = await live(machine.slipway(), machine, 10 * minute);
    expect(condition(report, 'Ready')).toBe('True InSync');
    expect(doneSince(machine, length)).toEqual([`write ${paths.slipway.providerSettings}`]);
    expect(machine.units.starts).toBe(1);
    expect(machine.acr.pulls).toBe(1);
    expect(await readStatus(machine.host, paths.slipway.status)).toMatchObject({ version: '1.2.3' });
  });
});

describe('a file that only a newer release can read', () => {
  /**
   * A check for each file of what a server does if it cannot read that file. The type requires a check for every file
   * except those in `elsewhere`.
   */
  const follows: Readonly<Record<Exclude<Name, (typeof elsewhere)[number]>, (machine: Vm) => Promise<void>>> =
    {
      status: async ({ host }) => expect(await readStatus(host, paths.slipway.status)).toBeUndefined(),
      startStamp: async (machine) => {
        await changed(machine, 'disable: [traefik]');
        expect(machine.host.files.text(paths.k3s.config)).toContain('traefik');
      },
      startedWith: async (machine) => {
        const report = await changed(machine, 'cluster-cidr: 10.50.0.0/16');
        expect(condition(report, 'K3sConfig')).toBe('False SettingsIrreversible');
        expect(machine.host.files.text(paths.k3s.config)).not.toContain('10.50');
      },
      publicRelease: async (machine) => {
        await live(machine.slipway(), machine, minute);
        expect(machine.host.files.text(paths.k3s.publicRelease)).toContain('v1.36.3+k3s1');
      },
      pullProof: async (machine) => {
        await live(machine.slipway(), machine, minute);
        expect(machine.acr.pulls).toBe(2);
      },
      logins: async (machine) => {
        await live(machine.slipway(), machine, minute);
        const asked = machine.cloud.calls.filter((call) => call.startsWith('registryPassword'));
        expect(asked).toHaveLength(2);
        expect(machine.host.files.text(paths.slipway.logins)).toContain(registry);
      },
      providerSettings: async (machine) => {
        const path = paths.slipway.providerSettings;
        await live(machine.slipway(), machine, minute);
        expect(machine.host.files.text(path)).toContain(registry);
      },
    };

  test.each(Object.entries(follows))(
    'is treated as lost without a restart of K3s: %s',
    async (name, check) => {
      const machine = await up('server');
      const [, file] = present(machine).find(([each]) => each === name) ?? [];
      rewrite(machine, file?.path ?? '', retyped);
      await check(machine);
      expect(machine.units.starts).toBe(1);
    },
  );
});

/** Returns the JSON text with a higher format number, and with 7 as the value of every other field. */
function retyped(text: string): string {
  const { format, ...fields } = JSON.parse(text);
  const others = Object.keys(fields).map((name) => [name, 7]);
  return JSON.stringify({ format: format + 1, ...Object.fromEntries(others) });
}

/** Changes a setting of K3s and runs Slipway for ten minutes; returns the last report. */
function changed(machine: Vm, setting: string) {
  machine.host.files.write('/etc/slipway/config.d/k3s.yaml', `k3s: { config: { ${setting} } }\n`);
  return live(machine.slipway(), machine, 10 * minute);
}
