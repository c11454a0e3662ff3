import { beforeEach, describe, expect, test } from 'vitest';
import type { FluxSpec } from '../../../../../src/agent/gitops/flux/flux-run.ts';
import { fluxToken } from '../../../../../src/agent/gitops/flux/flux-token.ts';
import { aVault } from '../../../../lab/a-vault.ts';
import type { MemoryApi } from '../../../../lab/memory-api.ts';
import { type MemoryHost, memoryHost } from '../../../../lab/memory-host.ts';
import { writeFluxSecret } from '../../../../lab/standins/flux-secret.ts';
import { aCluster } from '../../a-cluster.ts';
import { applied, fetched, putFlux } from './cluster.ts';
import { context, fluxSettings, fluxSpec } from './settings.ts';

const caFile = '/etc/ssl/certs/company.pem';

let host: MemoryHost;
let api: MemoryApi;

beforeEach(() => {
  host = memoryHost();
  api = aCluster(host);
  putFlux(api, { source: fetched, sync: applied() });
  const metadata = { name: 'flux-system' };
  api.objects.put('namespaces', undefined, { apiVersion: 'v1', kind: 'Namespace', metadata });
  writeFluxSecret(api.objects, { username: 'git', password: 'old', 'ca.crt': 'old CAs' });
});

/** Applies the Git Secret, and returns its values. */
async function brought(spec: Partial<FluxSpec>): Promise<Readonly<Record<string, string>>> {
  for (const resource of fluxToken(fluxSpec({ cloud: aVault('new', 'v2'), ...spec }), context)) {
    const finding = await resource.check(host);
    if (finding.state === 'Drifted') {
      await finding.drift.remedy(host);
    }
    expect(await resource.check(host)).toMatchObject({ state: 'InSync' });
  }
  const { data } = Object(api.objects.get('secrets', 'flux-system', 'flux-system'));
  const values = Object.entries<string>(Object(data));
  return Object.fromEntries(values.map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]));
}

describe('fluxToken', () => {
  test('takes over the token that flux bootstrap wrote, and leaves its CAs without network.caFile', async () => {
    expect(await brought({})).toEqual({ username: 'git', password: 'new', 'ca.crt': 'old CAs' });
  });

  test('replaces the CAs when network.caFile changes', async () => {
    for (const content of ['the CAs', 'other CAs']) {
      host.files.write(caFile, content);
      expect(await brought({ caFile })).toMatchObject({ password: 'new', 'ca.crt': content });
    }
  });

  test('changes nothing while network.caFile is missing', async () => {
    await expect(brought({ caFile })).rejects.toMatchObject({ reason: 'InvalidSettings', blocks: false });
    expect(host.lines()).toEqual([]);
  });

  test('plans nothing with a deploy key', () => {
    expect(fluxToken(fluxSpec({ settings: fluxSettings({ tokenAuth: false }) }), context)).toEqual([]);
  });

  test('is checked after the bootstrap, and blocks nothing', async () => {
    const [resource] = fluxToken(fluxSpec(), context);
    expect(resource).toMatchObject({ condition: 'GitOps', needs: ['Bootstrap/flux-system'] });
    expect(await resource?.check(host)).toMatchObject({ state: 'Drifted', drift: { blocks: false } });
  });
});
