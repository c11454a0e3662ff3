import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { readJwt } from '../../src/agent/clouds/jwt.ts';
import { nodeHost } from '../../src/agent/host/node-host.ts';
import { packaged } from './executable.ts';
import { kubelet } from './kubelet.ts';
import { type Lab, loginServer, type Passwords, provenImage, startLab } from './lab.ts';
import type { LabNode } from './node.ts';
import { type Finished, Processes } from './processes.ts';
import { type Containerd, startContainerd } from './registry/containerd.ts';
import { type DockerRegistry, startDockerRegistry } from './registry/docker-registry.ts';
import { whatIsMissing } from './registry/missing.ts';
import {
  type Credential,
  type Pull,
  pullByContainerd,
  pullInTurn,
  type Skopeo,
  skopeo,
  type Tally,
} from './registry/pullers.ts';

const rotations = 10;

/**
 * The lifetime of a password in milliseconds. Slipway renews a password when a third of its lifetime is left. These
 * seven seconds are enough for a pull on a busy machine.
 */
const passwordLife = 21_000;

const dir = join(tmpdir(), `slipway-registry-${process.pid}`);
const missing = whatIsMissing();

describe.skipIf(missing)(`after ten rotations under constant pulls from a real registry${missing}`, () => {
  const processes = new Processes();
  let lab: Lab;
  let node: LabNode;
  let registry: DockerRegistry;
  let containerd: Containerd;
  let bySkopeo: Skopeo;
  let byContainerd: Pull;
  let started: string;
  let tallies: ReadonlyMap<string, Tally>;
  let previous: Readonly<Record<'before its end' | 'after its end', Tried>>;
  /**
   * The folder of containerd. The folder's path must be short, because the path of a socket is limited to about a
   * hundred characters.
   */
  let containerdDir: string;

  beforeAll(async () => {
    containerdDir = mkdtempSync(join(tmpdir(), 'slipway-'));
    lab = await startLab({ dir, executable: [packaged], nodes: ['server'], passwordLife });
    node = lab.node('server');
    const { azure } = lab;
    const network = { HTTPS_PROXY: azure.proxyUrl, SSL_CERT_FILE: azure.caFile };
    registry = await startDockerRegistry({ azure, loginServer, dir: join(dir, 'registry'), processes });
    await registry.push('hello/world', '1');
    containerd = await startContainerd({ dir: containerdDir, processes, network });
    bySkopeo = skopeo(join(dir, 'skopeo'), network);
    byContainerd = pullByContainerd(containerd);
    lab.start();
    await lab.waitReady();
    started = await k3sStart(node);
    const stop = new AbortController();
    const pulling = pullInAllWays(stop.signal);
    const left = await tenRotations()
      .catch((thrown) => {
        throw new Error(`${thrown.message}\n${node.log.slice(-10).join('\n')}`);
      })
      .finally(() => stop.abort());
    tallies = await pulling;
    process.stdout.write(
      `${counted(tallies, blobsFetched(lab))}; renewed with ${left / 1000} s left or more\n`,
    );
  }, 420_000);

  afterAll(async () => {
    await lab?.stop();
    await Promise.all([containerd?.stop(), registry?.stop()]);
    for (const path of [dir, containerdDir]) {
      if (path !== undefined) {
        rmSync(path, { recursive: true, force: true, maxRetries: 5 });
      }
    }
  });

  function pullInAllWays(signal: AbortSignal): Promise<ReadonlyMap<string, Tally>> {
    const skopeoPulls = (credential: Credential) => bySkopeo.pull(provenImage, credential);
    const containerdPulls = (credential: Credential) => byContainerd(provenImage, credential);
    const written = async () => credentialIn(node.read('etc/rancher/k3s/registries.yaml'));
    const given = () => provided(node);
    const all = {
      'skopeo, from registries.yaml': { pull: skopeoPulls, credential: written },
      'containerd, from registries.yaml': { pull: containerdPulls, credential: written },
      'skopeo, from the credential provider': { pull: skopeoPulls, credential: given },
      'containerd, from the credential provider': { pull: containerdPulls, credential: given },
    };
    return pullInTurn<WayName>(signal, all, rotations);
  }

  /**
   * Waits for ten rotations, and tries the first password before and after its expiry. Resolves to the shortest time,
   * in milliseconds, that a password had left when Slipway replaced it.
   */
  async function tenRotations(): Promise<number> {
    const before = await lab.passwords();
    const after = await lab.rotated(before);
    const first = credentialIn(before.server);
    const left = leftOf(first);
    const [least, tried] = await Promise.all([rotate(after, rotations - 1), tryToItsEnd(first)]);
    previous = tried;
    return Math.min(left, least);
  }

  async function rotate(from: Passwords, times: number): Promise<number> {
    let [passwords, least] = [from, passwordLife];
    for (let turn = 0; turn < times; turn += 1) {
      const replaced = credentialIn(passwords.server);
      passwords = await lab.rotated(passwords);
      least = Math.min(least, leftOf(replaced));
    }
    return least;
  }

  async function tryToItsEnd(credential: Credential) {
    const before = await tried(credential);
    await sleep(leftOf(credential) + 100);
    return { 'before its end': before, 'after its end': await tried(credential) };
  }

  async function tried(credential: Credential): Promise<Tried> {
    const [token, pull] = await Promise.all([
      tokenStatus(lab, credential),
      bySkopeo.pull(provenImage, credential),
    ]);
    return { token, pull };
  }

  test.each(ways)('every pull succeeded, with at least ten different credentials: %s', (way) => {
    const tally = tallies.get(way);
    expect(tally?.failures).toEqual([]);
    expect(tally?.used.size).toBeGreaterThanOrEqual(rotations);
  });

  test('every pull fetched the config and the layer of its image from the storage', () => {
    const pulls = [...tallies.values()].reduce((sum, tally) => sum + tally.pulls, 0);
    expect(blobsFetched(lab)).toBeGreaterThanOrEqual(2 * pulls);
  });

  test('K3s was started once, and was never restarted', async () => {
    const journal = await node.run('journalctl', '-o', 'cat', '--no-pager');
    expect(journal.stdout.match(/^Starting k3s/gm)).toHaveLength(1);
    expect(await k3sStart(node)).toBe(started);
  });

  test('an anonymous pull is refused', async () => {
    expect(await bySkopeo.pull(provenImage)).toMatchObject({ exitCode: 1, stderr: refused });
    expect(await byContainerd(provenImage)).toMatchObject({ exitCode: 1, stderr: refused });
  });

  test('a credential for pulls cannot push to any repository', async () => {
    for (const name of ['hello/world:2', 'other/world:1']) {
      const { server = '' } = await lab.passwords();
      const pushed = await bySkopeo.push(provenImage, `${loginServer}/${name}`, credentialIn(server));
      expect(pushed).toMatchObject({ exitCode: 1, stderr: refused });
    }
    await expect(registry.push('other/world', '1'), 'a token that may push does').resolves.toBeUndefined();
  });

  test('a credential that was replaced works until it expires, and not afterwards', () => {
    expect(previous['before its end']).toMatchObject({ token: 200, pull: { exitCode: 0 } });
    expect(previous['after its end']).toMatchObject({ token: 401, pull: { exitCode: 1, stderr: refused } });
  });
});

/** The status of the token endpoint's answer to a credential, and the result of a pull with the credential. */
interface Tried {
  readonly token: number;
  readonly pull: Finished;
}

const ways = [
  'skopeo, from registries.yaml',
  'containerd, from registries.yaml',
  'skopeo, from the credential provider',
  'containerd, from the credential provider',
] as const;
type WayName = (typeof ways)[number];

const refused = expect.stringMatching(/unauthorized|401/i);

/** Returns the credential for the lab's registry in a registries.yaml. */
function credentialIn(registriesYaml: string | undefined): Credential {
  const { username, password } = parse(registriesYaml ?? '').configs[loginServer].auth;
  return { username, password };
}

/** Returns the milliseconds until the credential expires. */
function leftOf({ password }: Credential): number {
  return (readJwt(password)?.expiresAt ?? 0) - Date.now();
}

/**
 * Resolves to the credential that kubelet gets from the plugin, given the configuration that the daemon wrote; rejects
 * if the plugin gives no login. Creates a new kubelet each time, because kubelet may use a cached credential until a
 * 36th of its lifetime is left, which can be too short for a pull.
 */
async function provided(node: LabNode): Promise<Credential> {
  const folder = join(node.root, 'var/lib/rancher/credentialprovider');
  const fresh = kubelet({ binDir: join(folder, 'bin'), config: join(folder, 'config.yaml') });
  const login = await fresh.credentialsFor(provenImage);
  if (!login) {
    throw new Error(`The credential provider gave no login: ${fresh.log.join(' ')}`);
  }
  return login;
}

async function tokenStatus({ azure }: Lab, { username, password }: Credential): Promise<number> {
  const query = new URLSearchParams({ service: loginServer, scope: 'repository:hello/world:pull' });
  const basic = Buffer.from(`${username}:${password}`).toString('base64');
  const { status } = await nodeHost({ proxy: azure.proxyUrl, caFile: azure.caFile }).get({
    url: `https://${loginServer}/oauth2/token?${query}`,
    headers: { authorization: `Basic ${basic}` },
  });
  return status;
}

async function k3sStart(node: LabNode): Promise<string> {
  const { InvocationID = '' } = await node.show('k3s', 'InvocationID');
  expect(InvocationID).not.toBe('');
  return InvocationID;
}

function blobsFetched({ azure }: Lab): number {
  return azure.requests.filter(
    ({ server, method, status }) => `${server} ${method} ${status}` === 'storage GET 200',
  ).length;
}

function counted(tallies: ReadonlyMap<string, Tally>, blobs: number): string {
  const lines = [...tallies].map(
    ([way, { pulls, failures, used }]) =>
      `${pulls} pulls by ${way}, ${failures.length} failed, with ${used.size} credentials`,
  );
  return [`${rotations} rotations`, ...lines, `${blobs} blobs from storage`].join('; ');
}
