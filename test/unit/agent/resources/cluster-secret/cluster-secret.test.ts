import { beforeEach, describe, expect, test } from 'vitest';
import { advisory, forPerson } from '../../../../../src/agent/engine/severity.ts';
import {
  clusterSecret,
  type SecretUse,
} from '../../../../../src/agent/resources/cluster-secret/cluster-secret.ts';
import type { WishedSecret } from '../../../../../src/agent/resources/cluster-secret/wished-secret.ts';
import { aVault } from '../../../../lab/a-vault.ts';
import { type MemoryApi, serveMemoryApi } from '../../../../lab/memory-api.ts';
import { type MemoryHost, memoryHost } from '../../../../lab/memory-host.ts';
import { updatedBy } from '../../../../lab/standins/k3s-apply.ts';
import { issue, makeAuthority } from '../../../../lab/standins/k3s-certificates.ts';
import { kubeconfig } from '../../../../lab/standins/k3s-kubeconfig.ts';

const path = '/etc/rancher/k3s/k3s.yaml';
const server = 'https://127.0.0.1:6443';
const authority = makeAuthority('k3s-client-ca');
const admin = issue(authority, { commonName: 'system:admin', organization: 'system:masters' });

const wish: WishedSecret = {
  namespace: 'tools',
  name: 'login',
  type: 'Opaque',
  labels: { 'slipway.dev/kind': 'login' },
  keys: ['password'],
  sources: ['token'],
  form: 'form',
  values: (read) => ({ password: read('token') }),
};

let host: MemoryHost;
let api: MemoryApi;

beforeEach(() => {
  host = memoryHost({ files: { [path]: kubeconfig({ server, ca: authority.certificate, ...admin }) } });
  api = serveMemoryApi(host, server, {
    [admin.certificate]: { name: 'system:admin', groups: ['system:masters'] },
  });
});

function used(changes: Partial<SecretUse> = {}): SecretUse {
  return {
    vault: aVault('new', 'v2'),
    condition: 'GitOps',
    needs: ['NodeReady/server-1'],
    kubeconfig: path,
    verifyEvery: 600_000,
    severity: advisory,
    ifOwned: 'Ask its owner.',
    ...changes,
  };
}

/** Applies the Secret, and returns the next finding. */
async function bring(use: SecretUse) {
  const resource = clusterSecret(wish, use);
  const finding = await resource.check(host);
  if (finding.state === 'Drifted') {
    await finding.drift.remedy(host);
  }
  return resource.check(host);
}

function password(): string {
  const { data } = Object(api.objects.get('secrets', 'tools', 'login'));
  return Buffer.from(data.password, 'base64').toString();
}

/** Writes the Secret as the program `manager` would. */
function writeAs(manager: string, value: string): void {
  const data = { password: Buffer.from(value).toString('base64') };
  const metadata = { name: 'login', namespace: 'tools' };
  const object = { apiVersion: 'v1', kind: 'Secret', metadata, type: 'Opaque', data };
  const live = api.objects.get('secrets', 'tools', 'login');
  api.objects.put('secrets', 'tools', updatedBy(manager, live, object));
}

describe('clusterSecret', () => {
  test('reports the condition of its caller, and waits for the needs of its caller', () => {
    expect(clusterSecret(wish, used())).toMatchObject({
      id: 'Secret/tools/login',
      condition: 'GitOps',
      needs: ['NodeReady/server-1'],
    });
  });

  test('applies the Secret in the namespace and with the labels that its caller gives', async () => {
    expect(await bring(used())).toMatchObject({ state: 'InSync' });
    expect(password()).toBe('new');
    expect(api.objects.get('namespaces', undefined, 'tools')).toBeDefined();
    expect(api.objects.get('secrets', 'tools', 'login')?.metadata.labels).toEqual(wish.labels);
  });

  test('is checked again when the next comparison with the vault is due', async () => {
    const [vault, verifyEvery] = [aVault('new', 'v2'), 60_000];
    const use = used({ vault, verifyEvery });
    expect(await bring(use)).toEqual({ state: 'InSync', until: host.now() + verifyEvery });
    host.advance(verifyEvery);
    expect(await clusterSecret(wish, use).check(host)).toEqual({
      state: 'InSync',
      until: host.now() + verifyEvery,
    });
  });

  test.each([
    ['does not block its dependants if its severity is advisory', advisory],
    ['blocks its dependants if its severity is forPerson', forPerson],
  ])('%s', async (_, severity) => {
    const finding = await clusterSecret(wish, used({ severity })).check(host);
    expect(finding).toMatchObject({ state: 'Drifted' });
    expect(finding.state === 'Drifted' && (finding.drift.blocks ?? true)).toBe(severity.blocks);
    writeAs('external-secrets', 'theirs');
    await expect(bring(used({ severity }))).rejects.toMatchObject({ reason: 'SecretOwned', ...severity });
    await expect(bring(used({ severity, vault: aVault(' ') }))).rejects.toMatchObject({
      reason: 'SecretEmpty',
      ...severity,
    });
  });

  test("prints its caller's advice if another program owns a key of the Secret", async () => {
    writeAs('external-secrets', 'theirs');
    await expect(bring(used())).rejects.toThrow(/"external-secrets".* Ask its owner\.$/);
    expect(password()).toBe('theirs');
  });

  test('takes over a key from a program that its caller names', async () => {
    writeAs('flux', 'old');
    expect(await bring(used({ takesOverFrom: ['flux'] }))).toMatchObject({ state: 'InSync' });
    expect(password()).toBe('new');
  });

  test('does not take over a key from a program that its caller does not name', async () => {
    writeAs('flux', 'old');
    writeAs('kustomize-controller', 'theirs');
    await expect(bring(used({ takesOverFrom: ['flux'] }))).rejects.toMatchObject({ reason: 'SecretOwned' });
    expect(password()).toBe('theirs');
  });
});
