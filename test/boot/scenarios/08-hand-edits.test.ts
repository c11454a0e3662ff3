import { appendFileSync, chmodSync, chownSync, lstatSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type BootedHost, eventually, pinsItsCa } from '../booted-host.ts';
import { type Cluster, startCluster } from '../cluster.ts';
import { startsOf } from '../judge.ts';
import { look, occasional, ownedFiles, startNote } from '../owned-files.ts';

let cluster: Cluster;

/** Files that the operator adds to each host; Slipway must not change them. */
const operators = [
  '/etc/rancher/k3s/config.yaml.d/50-mine.yaml',
  '/var/lib/rancher/k3s/server/manifests/mine.yaml',
  '/etc/systemd/system/k3s.service.d/override.conf',
  '/etc/systemd/system/k3s-agent.service.d/override.conf',
  '/etc/sysctl.d/99-mine.conf',
  '/etc/slipway/mine.txt',
  '/usr/local/bin/crictl',
];
/** Files whose content Slipway verifies only when it downloads them. */
const downloaded = ['/usr/local/bin/k3s', '/usr/local/bin/flux'];
/** Text that is invalid in the format of every file that Slipway owns. */
const mark = '{ edited by hand';

/**
 * Files that Slipway does not restore, since only their writers need them: the daemon, the credential provider and
 * K3s's unit.
 */
const notPutBack = /\/lock(\.held)?$|\/credential-provider\.lock|\/stamp\.json$/;
/** Files that Slipway rewrites from time to time. */
const renewed = /^\/run\/|\/(registries\.yaml|logins\.json)$/;

beforeAll(async () => {
  // Enables NAT on the agent, so that NAT's files exist.
  const settings = (host: string) =>
    host === 'agent' ? { network: { nat: { from: ['10.0.2.0/24'] } } } : {};
  cluster = await startCluster({ hosts: ['server', 'agent'], settings });
  await cluster.powerOn();
  await cluster.ready();
  await pinsItsCa(cluster.host('agent'));
  for (const host of cluster.hosts) {
    await workOn(host);
  }
});

afterAll(() => cluster?.stop());

async function workOn(host: BootedHost): Promise<void> {
  rmSync(host.path('/usr/local/bin/crictl'));
  for (const path of operators) {
    host.write(path, '# mine\n', 0o755);
  }
  await host.ask('systemctl', 'daemon-reload');
}

test('every lasting file on the page of owned files exists on some host, with the mode that the page states', () => {
  const lasting = ownedFiles().filter(({ path }) => !path.includes('*') && !occasional.test(path));
  for (const { path, mode } of lasting) {
    const found = cluster.hosts.flatMap((host) => look(host, [path])[path] ?? []);
    expect(found, path).not.toEqual([]);
    for (const each of found) {
      if (!operators.includes(path)) {
        expect(`${path} ${each}`).toContain(` ${mode} `);
      }
    }
  }
});

test('the page of owned files lists every file that the daemon maintains', () => {
  const listed = ownedFiles().map(({ path }) => path);
  for (const host of cluster.hosts) {
    const ids = host.status()?.resources.map(({ id }) => id) ?? [];
    const kept = ids.flatMap((id) => /^(?:File|Link)\/(\/.*)$/.exec(id)?.[1] ?? []);
    expect(kept.length).toBeGreaterThan(5);
    expect(kept.filter((path) => !listed.includes(path))).toEqual([]);
  }
});

const damages: Readonly<Record<string, (path: string, mode: string, listed: string) => void>> = {
  edited: (path, mode, listed) => {
    if (mode === 'link') {
      relink(path);
    } else if (!downloaded.includes(listed)) {
      appendFileSync(path, `\n${mark}\n`);
    }
  },
  removed: (path) => rmSync(path),
  'readable by others': (path, mode) => mode !== 'link' && chmodSync(path, statSync(path).mode | 0o066),
};

function relink(path: string): void {
  rmSync(path);
  symlinkSync('/bin/true', path);
}

test.each(Object.keys(damages))(
  'every file of Slipway that is %s is restored, and K3s keeps running',
  async (how) => {
    const done = await Promise.allSettled(
      cluster.hosts.map((host) => damagedAndPutBack(host, damages[how] ?? expect.fail())),
    );
    for (const each of done) {
      if (each.status === 'rejected') {
        throw each.reason;
      }
    }
  },
);

async function damagedAndPutBack(
  host: BootedHost,
  damage: (path: string, mode: string, listed: string) => void,
): Promise<void> {
  const files = ownedFiles().filter(
    ({ path }) =>
      host.has(path) && !notPutBack.test(path) && !startNote.test(path) && !operators.includes(path),
  );
  const paths = files.map(({ path }) => path);
  const lasting = paths.filter((path) => !renewed.test(path));
  const [before, k3sStart] = [look(host, lasting), await host.k3sStart()];
  for (const { path, mode } of files) {
    damage(host.path(path), mode, path);
  }
  const since = Date.now();
  await host.reload();
  await eventually('a whole status', () => !!host.read('/run/slipway/status.json')?.endsWith('}\n'));
  // Repeats the checks, since a pass in progress may have read the files before the damage.
  const putBack = () => {
    expect(look(host, lasting)).toEqual(before);
    for (const { path, mode } of files) {
      expect(`${path} ${look(host, [path])[path]}`).toContain(` ${mode} `);
      expect(host.read(path), path).not.toContain(mark);
    }
    expect(host.isReady(since), 'the node is Ready').toBe(true);
  };
  await vi.waitFor(putBack, { timeout: 180_000, interval: 200 });
  expect(await host.k3sStart(), 'K3s goes on').toBe(k3sStart);
}

test('after a chown to another user, a directory of Slipway is given back to root, and a shared directory is reported', async () => {
  const host = cluster.host('agent');
  const [own, shared] = [host.path('/var/lib/slipway'), host.path('/usr/local/bin')];
  const k3sStart = await host.k3sStart();
  chownSync(own, 1_000, 1_000);
  chmodSync(own, 0o777);
  await host.reload();
  await eventually(
    'the directory of Slipway to be taken back',
    () => statSync(own).uid === 0 && !(statSync(own).mode & 0o002),
  );
  chownSync(shared, 1_000, 1_000);
  await host.reload();
  await eventually('the other to be reported', () => host.condition('Preflight')?.reason === 'UnsafePath');
  expect(host.condition('Preflight')?.message).toContain('chown -h root:root /usr/local/bin');
  expect(host.condition('Ready')?.status, 'Ready').toBe('True');
  expect(await host.k3sStart(), 'K3s goes on').toBe(k3sStart);
  chownSync(shared, 0, 0);
  await host.reload();
  await eventually('all to be as before', () => host.condition('Preflight')?.status === 'True');
});

test('a change of the settings restarts K3s exactly once', async () => {
  for (const host of cluster.hosts) {
    host.write('/etc/slipway/config.d/60-labels.yaml', 'node: { labels: [tier=gold] }\n');
    await host.reload();
    await eventually(
      'the restart in the turn of the node',
      async () => (await startsOf(host, host.k3sUnit)) === 2,
    );
    const since = Date.now();
    await host.reload();
    await eventually('the node to be Ready', () => host.isReady(since));
    const k3sStart = await host.k3sStart();
    const again = Date.now();
    await host.reload();
    await eventually('another pass', () => host.isReady(again));
    expect(await host.k3sStart()).toBe(k3sStart);
  }
});

test("the operator's files are unchanged", () => {
  for (const host of cluster.hosts) {
    for (const path of operators) {
      expect(host.read(path), path).toBe('# mine\n');
    }
    for (const path of operators) {
      expect(lstatSync(host.path(path)).isFile(), path).toBe(true);
    }
  }
});
