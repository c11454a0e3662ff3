/**
 * The current executable brings up two nodes. Then the executable of the previous release replaces it, as in a
 * downgrade, and finds files of a newer release, with a higher format and unknown fields.
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type OwnFile, ownFiles } from '../../src/agent/own-files.ts';
import { nodePaths } from '../../src/agent/paths.ts';
import { noPrevious, previousText, unpackPrevious } from '../previous-release.ts';
import { bundleRelease, install } from './bundled-release.ts';
import { kubelet } from './kubelet.ts';
import { type Lab, provenImage, startLab } from './lab.ts';
import { newerText } from './newer-release.ts';
import type { LabNode } from './node.ts';

const dir = join(tmpdir(), `slipway-previous-${process.pid}`);
const executable = join(dir, 'slipway');

/** The files that a steady node does not have, because they belong to an operation that is under way or has ended. */
const occasional: readonly string[] = [
  ...['partialDownload', 'providerFailure', 'job'],
  ...['founding', 'backups', 'backupRequest', 'backupManifest'],
  ...['drain', 'turn', 'hold', 'reboot', 'datastoreCopy', 'upgrade', 'restore', 'tokenRotation', 'channel'],
];

const name = 'the executable of the previous release, on files of a newer release';

describe.skipIf(noPrevious)(noPrevious === undefined ? name : `${name}: skipped, since ${noPrevious}`, () => {
  let lab: Lab;
  let scripts: { readonly today: string; readonly previous: string };
  let before: readonly Seen[];

  beforeAll(async () => {
    unpackPrevious(join(dir, 'sources'));
    scripts = {
      today: await bundleRelease('.', join(dir, 'today.cjs'), executable),
      previous: await bundleRelease(join(dir, 'sources'), join(dir, 'previous.cjs'), executable),
    };
    install(scripts.today, executable);
    lab = await startLab({
      dir: join(dir, 'lab'),
      executable: [executable],
      nodes: ['server', 'agent'],
      // Omit `workloads`: the previous release refuses a section that it does not know.
      settings: { workloads: undefined },
    });
  });

  afterAll(async () => {
    await lab?.stop();
    rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
  });

  test('continues a download that the newer release began', async () => {
    const agent = lab.node('agent');
    lab.mirror.fail('truncate', { on: /\/k3s$/ });
    agent.start();
    await expect.poll(() => agent.log.join('\n')).toContain('DownloadFailed');
    await agent.stopDaemon();
    lab.mirror.heal();
    expect(makeNewer(agent)).toContain('partialDownload');
    const asked = lab.azure.requests.length;
    install(scripts.previous, executable);
    agent.start();
    await expect.poll(() => agent.read('usr/local/bin/k3s')).toBeDefined();
    await agent.stopDaemon();
    const statuses = lab.azure.requests
      .slice(asked)
      .filter(({ path }) => path.startsWith('/github-production'));
    expect(statuses.map(({ status }) => status)).toContain(206);
    expect(agent.read('usr/local/bin/.k3s.slipway-part.json')).toBeUndefined();
  });

  test('shows the status that the newer release left', async () => {
    install(scripts.today, executable);
    lab.start();
    await lab.waitReady();
    before = await Promise.all(lab.nodes.map(seen));
    await Promise.all(lab.nodes.map((node) => node.stopDaemon()));
    const own = lab.nodes.flatMap(makeNewer);
    const expected = Object.keys(ownFiles).filter((each) => !occasional.includes(each));
    expect([...new Set(own)].sort()).toEqual(expected.sort());
    install(scripts.previous, executable);
    for (const [at, node] of lab.nodes.entries()) {
      const { exitCode, stdout } = await node.slipway('status', '-o', 'json');
      expect(exitCode).toBe(3);
      expect(conditionsIn(JSON.parse(stdout))).toEqual(before[at]?.conditions);
    }
  });

  test('plans only one change: to write the settings of the credential provider in its own format', async () => {
    for (const node of lab.nodes) {
      const { stdout } = await node.slipway('plan', '-o', 'json');
      const { verdict, steps }: Plan = JSON.parse(stdout);
      const changes = steps.filter(({ state }) => state === 'Changed').map(({ resource }) => resource);
      expect(changes).toEqual([`File/${nodePaths(node.root).slipway.providerSettings}`]);
      expect(verdict).toBe('changes');
    }
  });

  test('answers kubelet from the login store, and fetches a missing login with the newer settings', async () => {
    const agent = lab.node('agent');
    const { k3s, slipway } = nodePaths(agent.root);
    const asking = () => kubelet({ binDir: k3s.credentialProviderBin, config: k3s.credentialProvider });
    const asked = exchanges(lab);
    expect(await asking().credentialsFor(provenImage)).toMatchObject({ password: expect.any(String) });
    expect(exchanges(lab)).toBe(asked);
    const store = readFileSync(slipway.logins, 'utf8');
    writeFileSync(slipway.logins, newerText('{ "logins": {} }'));
    expect(await asking().credentialsFor(provenImage)).toMatchObject({ password: expect.any(String) });
    expect(exchanges(lab)).toBe(asked + 1);
    writeFileSync(slipway.logins, store);
  });

  test('takes over the nodes without a restart, a second download or a deletion', () =>
    takesOver(scripts.previous));

  test('slipway doctor reports no warning or failure, except those about the test machine', async () => {
    for (const node of lab.nodes) {
      const { stdout } = await node.slipway('doctor', '-o', 'json');
      const { diagnoses }: Doctor = JSON.parse(stdout);
      expect(
        diagnoses.filter(({ about, level }) => about !== 'machine' && !['ok', 'skipped'].includes(level)),
      ).toEqual([]);
    }
  });

  test('can be upgraded without a restart, a second download or a deletion', () => takesOver(scripts.today));

  test('refuses an irreversible change of the settings with which K3s was started', async () => {
    const server = lab.node('server');
    await server.stopDaemon();
    makeNewer(server);
    install(scripts.previous, executable);
    server.start();
    server.write('etc/rancher/k3s/config.yaml.d/50-cidr.yaml', 'cluster-cidr: 10.50.0.0/16\n');
    await expect
      .poll(() => server.status()?.conditions.find(({ type }) => type === 'K3sConfig')?.reason)
      .toBe('SettingsIrreversible');
  });

  /**
   * Installs the release in `script`, and checks that the nodes keep their conditions and files, do not restart K3s,
   * download nothing, and log no warning or error.
   */
  async function takesOver(script: string): Promise<void> {
    await Promise.all(lab.nodes.map((node) => node.stopDaemon()));
    const [files, lines, asked] = [
      lab.nodes.map(filesOf),
      lab.nodes.map(({ log }) => log.length),
      fetched(lab),
    ];
    install(script, executable);
    lab.start();
    await lab.waitReady();
    for (const [at, node] of lab.nodes.entries()) {
      expect(await seen(node)).toEqual(before[at]);
      expect(files[at]?.filter((file) => !filesOf(node).includes(file))).toEqual([]);
      expect(node.log.slice(lines[at]).filter((line) => /"level":"?(warn|error|40|50)/.test(line))).toEqual(
        [],
      );
    }
    expect(fetched(lab)).toEqual(asked);
  }
});

interface Plan {
  readonly verdict: string;
  readonly steps: readonly { readonly resource: string; readonly state: string }[];
}

interface Doctor {
  readonly diagnoses: readonly { readonly about: string; readonly level: string }[];
}

/** A node's conditions, and the invocation ID of its K3s unit. */
interface Seen {
  readonly conditions: readonly string[];
  readonly start: string | undefined;
}

async function seen(node: LabNode): Promise<Seen> {
  const unit = node.name === 'server' ? 'k3s.service' : 'k3s-agent.service';
  const { InvocationID } = await node.show(unit, 'InvocationID');
  return { conditions: conditionsIn(node.status()), start: InvocationID };
}

/** Returns a line for each condition whose type the previous release also has. */
function conditionsIn(status: object | undefined): readonly string[] {
  const { conditions }: { readonly conditions: readonly Condition[] } = Object(status);
  const vocabulary = previousText('src/agent/vocabulary.ts');
  const known = conditions.filter(({ type }) => type === 'Ready' || vocabulary.includes(`type: '${type}'`));
  return known.map(({ type, status, reason, message }) => `${type} ${status} ${reason}: ${message}`);
}

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
}

/**
 * Replaces the content of the node's files that `ownFiles` lists with what a newer release would write. Returns the
 * keys in `ownFiles` of the files that exist.
 */
function makeNewer(node: LabNode): readonly string[] {
  const files = filesOf(node);
  return Object.entries<OwnFile>(ownFiles).flatMap(([name, { place }]) => {
    const [start = '', end = ''] = place(nodePaths('/')).split('*');
    const found = files.filter((file) =>
      end ? file.startsWith(start) && file.endsWith(end) : file === start,
    );
    for (const file of found) {
      node.write(file, newerText(node.read(file) ?? ''));
    }
    return found.length > 0 ? [name] : [];
  });
}

/**
 * Returns the files on a node that Slipway may have written, except event files, lock files and the database of K3s.
 */
function filesOf(node: LabNode): readonly string[] {
  return ['run', 'etc', 'var/lib/slipway', 'usr/local', 'var/lib/rancher'].flatMap((folder) =>
    readdirSync(join(node.root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => !entry.isDirectory())
      .map((entry) => `/${relative(node.root, join(entry.parentPath, entry.name))}`)
      .filter((path) => !/\/(\.?events\.json.*|server\/db\/.*|lock|[^/]*\.held)$/.test(path))
      // Only the previous release writes `formerLogins`.
      .filter((path) => path !== nodePaths('/').slipway.formerLogins),
  );
}

/** Returns the number of requests for registry passwords so far. */
function exchanges({ azure }: Lab): number {
  return azure.requests.filter(({ path }) => path.startsWith('/oauth2/exchange')).length;
}

/** Returns the paths of the requests to registries and release pages so far. */
function fetched({ azure }: Lab): readonly string[] {
  const paths = azure.requests.map(({ path }) => path);
  return paths.filter((path) => /^\/(oauth2|v2)\/|releases\/download|github-production/.test(path));
}
