import { describe, expect, test } from 'vitest';
import { NodeError } from '../../../../../src/agent/engine/errors.ts';
import type { Finding } from '../../../../../src/agent/engine/resource.ts';
import { Secret } from '../../../../../src/agent/engine/secret.ts';
import { fluxBootstrap } from '../../../../../src/agent/gitops/flux/flux-bootstrap.ts';
import type { FluxSettings } from '../../../../../src/agent/gitops/flux/settings.ts';
import type { MemoryHost } from '../../../../lab/memory-host.ts';
import { type Api, applied, fetched, hostWith, ready, revision } from './kubectl.ts';
import { context, fluxSettings } from './settings.ts';

const token = 'ghp_canary';
const cloud = { secret: async (name: string) => new Secret(name === 'flux-git-token' ? token : 'other') };

function resource(settings: FluxSettings = fluxSettings()) {
  return fluxBootstrap({ settings, cloud }, context);
}

function check(api: Api, settings = fluxSettings()): Promise<Finding> {
  return resource(settings).check(hostWith(api));
}

async function remedy(host: MemoryHost, settings = fluxSettings()) {
  const finding = await resource(settings).check(host);
  if (finding.state !== 'Drifted') {
    throw new Error(`not drifted but ${finding.state}`);
  }
  await finding.drift.remedy(host);
}

test('fluxBootstrap needs the executable and a Ready node, and summarises its change', () => {
  expect(resource()).toMatchObject({
    id: 'Bootstrap/flux-system',
    condition: 'GitOps',
    needs: ['Executable/flux', 'NodeReady/server-1'],
    summary: 'bootstrap Flux from github.com/acme/platform, branch main, path ./clusters/prod',
  });
});

describe('the check of fluxBootstrap', () => {
  const neverApplied = { spec: { path: './clusters/prod' }, status: {} };
  const noKind = { stderr: `error: the server doesn't have a resource type "gitrepositories"\n` };

  test.each<readonly [string, Api]>([
    ['there are no objects', {}],
    ['the CRDs are missing', { source: noKind, sync: noKind }],
    ['only the source exists', { source: fetched }],
  ])('reports drift if %s', async (_, api) => {
    const finding = await check(api);
    expect(finding).toMatchObject({
      state: 'Drifted',
      drift: { changes: [{ field: 'bootstrapped', observed: 'false', desired: 'true' }] },
    });
  });

  test.each<readonly [string, Api]>([
    ['has applied no revision yet', { source: fetched, sync: neverApplied }],
    ['has no status', { source: fetched, sync: { spec: { path: './clusters/prod' } } }],
    ['has no source', { sync: neverApplied }],
    ['is suspended', { sync: { spec: { path: './clusters/prod', suspend: true } } }],
  ])('never reports drift for a Kustomization that %s', async (_, api) => {
    expect(await check(api)).toEqual({ state: 'InSync', message: 'bootstrapped at ./clusters/prod' });
  });

  test.each<readonly [string, Api]>([
    ['all objects exist', { source: fetched, sync: applied() }],
    [
      'the path of the Kustomization has a trailing slash',
      { source: fetched, sync: applied('./clusters/prod/') },
    ],
    [
      'a later commit is broken',
      { source: fetched, sync: applied('clusters/prod', ready('False', 'no').status) },
    ],
    ['the source is not Ready', { source: ready('False', 'authentication required'), sync: applied() }],
  ])('reports no drift if %s', async (_, api) => {
    expect(await check(api)).toEqual({
      state: 'InSync',
      message: `bootstrapped at ./clusters/prod, applied ${revision}`,
    });
  });

  test('throws BootstrapPathDiffers for a different path, and names the setting to correct', async () => {
    const error = await check({ source: fetched, sync: applied('./clusters/test') }).catch(
      (thrown) => thrown,
    );
    expect(error).toMatchObject({ reason: 'BootstrapPathDiffers', endedBy: 'person' });
    expect(error.message).toContain('Set gitops.flux.path to ./clusters/test');
  });

  test.each([
    'The connection to the server 127.0.0.1:6443 was refused - did you specify the right host or port?',
    'Error from server (ServiceUnavailable): apiserver not ready',
    'error: stat /etc/rancher/k3s/k3s.yaml: no such file or directory',
  ])('throws ApiUnavailable if kubectl prints: %s', async (stderr) => {
    const error = await check({ source: { stderr }, sync: applied() }).catch((thrown) => thrown);
    expect(error).toMatchObject({ reason: 'ApiUnavailable', endedBy: 'time' });
    expect(error.message).toContain(stderr);
  });

  test.each([
    ['Usage: k3s', 'it is not JSON'],
    ['{"spec":{"path":7}}', 'spec.path is missing or of another kind'],
  ])('throws UnexpectedAnswer if kubectl prints: %s', async (printed, fault) => {
    const host = hostWith({ sync: applied() }).once({ file: 'k3s' }, printed);
    const message = expect.stringContaining(`as JSON: ${fault}. It is asked again.`);
    await expect(resource().check(host)).rejects.toMatchObject({ reason: 'UnexpectedAnswer', message });
  });
});

describe('the bootstrap of Flux', () => {
  test.each([
    ['github', 'GITHUB_TOKEN'],
    ['gitlab', 'GITLAB_TOKEN'],
    ['git', 'GIT_PASSWORD'],
  ] as const)('passes the token for %s only in the variable %s', async (provider, variable) => {
    const settings = fluxSettings({ provider, url: 'https://git.acme.test/platform.git' });
    const host = hostWith({}).on({ file: '/usr/local/bin/flux' }, (command) => {
      expect(JSON.stringify(command.args)).not.toContain(token);
      expect(command.env).toEqual({ HOME: '/var/lib/slipway', [variable]: expect.any(Secret) });
      expect(command.env?.[variable]).toSatisfy((secret: Secret) => secret.reveal() === token);
      expect(command.timeout).toBe(660_000);
      return '';
    });
    await remedy(host, settings);
    expect(host.lines()).toEqual([
      expect.stringContaining(`run HOME=/var/lib/slipway ${variable}=‹redacted› `),
    ]);
    expect(host.lines().join()).not.toContain(token);
  });

  const unauthorised = [
    '► connecting to github.com',
    '✗ failed to get Git repository "https://github.com/acme/platform": provider error: multiple errors occurred: ',
    `- GET https://api.github.com/repos/acme/platform: 401 Bad credentials [${token}]`,
  ].join('\n');
  const unhealthy =
    '✗ health check failed\n✔ all fine\n✗ bootstrap failed with 1 health check failure(s): timeout\n';

  test.each([
    [
      'every line of the last failure',
      unauthorised,
      'GET https://api.github.com/repos/acme/platform: 401 Bad credentials',
    ],
    [
      'the last of several failures',
      unhealthy,
      ': bootstrap failed with 1 health check failure(s): timeout. ',
    ],
    ['a message without a failure mark', 'panic: nil', 'panic: nil'],
  ])('quotes %s', async (_, stderr, expected) => {
    const host = hostWith({}).on({ file: 'flux' }, { exitCode: 1, stderr });
    const error: unknown = await remedy(host).catch((thrown) => thrown);
    expect(error).toMatchObject({ reason: 'BootstrapFailed', endedBy: 'time' });
    expect(error instanceof NodeError && error.message).toContain(expected);
    expect(error instanceof NodeError && error.message).toContain('the secret flux-git-token');
    expect(error instanceof NodeError && error.message).not.toContain(token);
  });

  test('reports a timeout as BootstrapFailed', async () => {
    const host = hostWith({}).on({ file: 'flux' }, () => {
      throw new NodeError('CommandTimedOut', 'flux bootstrap github did not end within 11 minutes.');
    });
    await expect(remedy(host)).rejects.toMatchObject({ reason: 'BootstrapFailed' });
  });

  test('passes on an error of the vault without running flux', async () => {
    const refusing = {
      secret: async () => Promise.reject(new NodeError('VaultForbidden', 'no role assignment yet')),
    };
    const host = hostWith({});
    const finding = await fluxBootstrap({ settings: fluxSettings(), cloud: refusing }, context).check(host);
    const remedied = finding.state === 'Drifted' && finding.drift.remedy(host);
    await expect(remedied).rejects.toMatchObject({ reason: 'VaultForbidden' });
    expect(host.journal).toEqual([]);
  });
});
