import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { parse } from 'yaml';
import { kubelet } from '../../lab/kubelet.ts';
import { Processes } from '../../lab/processes.ts';
import { type DockerRegistry, startDockerRegistry } from '../../lab/registry/docker-registry.ts';
import { type Credential, pullInTurn, skopeo, type Tally, type Way } from '../../lab/registry/pullers.ts';
import type { BootedHost } from '../booted-host.ts';
import { type Cluster, loginServer, provenImage, startCluster } from '../cluster.ts';
import { changesOf, startsOf } from '../judge.ts';

const rotations = 5;
const registriesYaml = '/etc/rancher/k3s/registries.yaml';

describe('after five rotations with a real registry', () => {
  let cluster: Cluster;
  let registry: DockerRegistry;
  let tallies: ReadonlyMap<string, Tally>;
  let server: BootedHost;
  let agent: BootedHost;

  beforeAll(async () => {
    cluster = await startCluster({ hosts: ['server', 'agent'], passwordLife: 36_000, settings });
    [server, agent] = [cluster.host('server'), cluster.host('agent')];
    const { azure } = cluster;
    const dir = join(server.root, '../registry');
    registry = await startDockerRegistry({ azure, loginServer, dir, processes: new Processes() });
    await registry.push('hello/world', '1');
    const network = { HTTPS_PROXY: azure.proxyUrl, SSL_CERT_FILE: azure.caFile };
    const { pull } = skopeo(join(server.root, '../skopeo'), network);
    await cluster.powerOn();
    await cluster.ready();
    const stop = new AbortController();
    const ways: Readonly<Record<string, Way>> = {
      'in registries.yaml': {
        pull: (credential) => pull(provenImage, credential),
        credential: async () => written(server),
      },
      'from the credential provider': {
        pull: (credential) => pull(provenImage, credential),
        credential: () => given(server),
      },
    };
    const pulling = pullInTurn(stop.signal, ways, rotations);
    await Promise.all([rotated(server, rotations), rotated(agent, rotations)]).finally(() => stop.abort());
    tallies = await pulling;
  });

  afterAll(async () => {
    await cluster?.stop();
    await registry?.stop();
  });

  test.each(['in registries.yaml', 'from the credential provider'])(
    'no pull failed with the credentials %s',
    (way) => {
      expect(tallies.get(way)?.failures).toEqual([]);
      expect(tallies.get(way)?.used.size).toBeGreaterThanOrEqual(rotations);
    },
  );

  test('K3s was not restarted with onRotate: never', async () => {
    expect(await startsOf(server, 'k3s.service')).toBe(1);
  });

  test('K3s was restarted after rotations with onRotate: restart, at most once for each', async () => {
    // A long password lifetime prevents further rotations, so that the counts stay constant.
    cluster.azure.registry().tokenLifetime = 3_600_000;
    const renewed = async () =>
      (await changesOf(agent)).filter((resource) => resource === 'Credential/registries').length;
    // The first renewal happens during the first boot, before K3s runs. Renewals that follow each other faster than the
    // turns of the node share a restart; after the last one, nothing waits for a restart.
    await vi.waitFor(
      async () => {
        expect(await startsOf(agent, agent.k3sUnit)).toBeGreaterThan(1);
        expect(agent.condition('Maintenance')?.reason).toBe('InSync');
      },
      { timeout: 120_000, interval: 500 },
    );
    expect(await startsOf(agent, agent.k3sUnit)).toBeLessThanOrEqual(await renewed());
  });
});

function settings(host: string): object {
  const onRotate = host === 'agent' ? 'restart' : 'never';
  return { registries: { servers: [loginServer], proof: [provenImage], onRotate } };
}

function written(host: BootedHost): Credential {
  return parse(host.read(registriesYaml) ?? '').configs[loginServer].auth;
}

/** Resolves to the credential that a new kubelet, without a cache, gets from the provider; rejects if it gets none. */
async function given(host: BootedHost): Promise<Credential> {
  const folder = '/var/lib/rancher/credentialprovider';
  const fresh = kubelet({
    binDir: host.path(`${folder}/bin`),
    config: host.path(`${folder}/config.yaml`),
    within: { command: host.within, binDir: `${folder}/bin` },
  });
  const login = await fresh.credentialsFor(provenImage);
  if (!login) {
    throw new Error(`The credential provider gave no login: ${fresh.log.join(' ')}`);
  }
  return login;
}

/** Resolves when registries.yaml has changed `times` times since this call. */
async function rotated(host: BootedHost, times: number): Promise<void> {
  for (let before = host.read(registriesYaml), seen = 0; seen < times; await sleep(100)) {
    const now = host.read(registriesYaml);
    if (now !== before) {
      seen += 1;
    }
    before = now;
  }
}
