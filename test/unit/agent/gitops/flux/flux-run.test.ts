import { describe, expect, test } from 'vitest';
import { NodeError } from '../../../../../src/agent/engine/errors.ts';
import { Secret } from '../../../../../src/agent/engine/secret.ts';
import { runBootstrap } from '../../../../../src/agent/gitops/flux/flux-run.ts';
import { aVault } from '../../../../lab/a-vault.ts';
import type { MemoryHost } from '../../../../lab/memory-host.ts';
import { carryOut } from '../../../../lab/memory-jobs.ts';
import { applied, fetched, hostWith } from './cluster.ts';
import { context, fluxSettings, fluxSpec } from './settings.ts';

const token = 'ghp_canary';
const cloud = {
  ...aVault(),
  secret: async (name: string) => new Secret(name === 'flux-git-token' ? token : 'other'),
};
const minute = 60_000;

function run(host: MemoryHost, spec: Partial<Parameters<typeof runBootstrap>[1]> = {}): Promise<void> {
  return carryOut((host) => runBootstrap(host, fluxSpec({ cloud, ...spec }), context), host);
}

function failureOf(host: MemoryHost): Promise<NodeError> {
  return run(host).then(
    () => Promise.reject(new Error('the bootstrap succeeded')),
    (thrown) => thrown,
  );
}

describe('runBootstrap', () => {
  test.each([
    ['github', 'GITHUB_TOKEN'],
    ['gitlab', 'GITLAB_TOKEN'],
    ['gitea', 'GITEA_TOKEN'],
    ['bitbucket-server', 'BITBUCKET_TOKEN'],
    ['git', 'GIT_PASSWORD'],
  ] as const)('passes the token for %s only in the variable %s', async (provider, variable) => {
    const settings = fluxSettings({ provider, url: 'https://git.acme.test/platform.git' });
    const host = hostWith({}).on({ file: '/usr/local/bin/flux' }, (command) => {
      expect(JSON.stringify(command.args)).not.toContain(token);
      expect(command.env).toEqual({
        HOME: '/var/lib/slipway',
        TMPDIR: '/var/lib/slipway/gitops-bootstrap',
        [variable]: expect.any(Secret),
      });
      expect(command.env?.[variable]).toSatisfy((secret: Secret) => secret.reveal() === token);
      return '';
    });
    await run(host, { settings });
    expect(host.lines()).toContainEqual(
      expect.stringContaining(` ${variable}=‹redacted› /usr/local/bin/flux `),
    );
    expect(host.lines().join()).not.toContain(token);
  });

  test('sets --timeout to half of the time limit, and stops flux a minute after the full time limit', async () => {
    const host = hostWith({}).on({ file: 'flux' }, ({ args, timeout }) => {
      expect(args).toContain('--timeout=5m');
      expect(timeout).toBe(11 * minute);
      return '';
    });
    await run(host);
  });

  test('passes the CA file in the network settings to flux', async () => {
    const host = hostWith({}).on({ file: 'flux' }, ({ args }) => {
      expect(args).toContain('--ca-file=/etc/ssl/company-ca.pem');
      return '';
    });
    await run(host, { caFile: '/etc/ssl/company-ca.pem' });
  });

  test.each<readonly [string, { exitCode: number }]>([
    ['succeeded', { exitCode: 0 }],
    ['failed', { exitCode: 1 }],
  ])(
    'removes the temporary files of an earlier attempt first, and those of its own attempt once flux has %s',
    async (_, ended) => {
      const host = hostWith({}).on({ file: 'flux' }, (_, { files }) => {
        expect(files.stat(`${context.scratch}/flux-bootstrap-1`)).toBeUndefined();
        files.write(`${context.scratch}/flux-bootstrap-2/README.md`, '');
        return ended;
      });
      host.files.write(`${context.scratch}/flux-bootstrap-1/README.md`, '');
      await run(host).catch(() => {});
      expect(host.files.stat(context.scratch)).toBeUndefined();
    },
  );

  test('does not run flux if the Kustomization already exists', async () => {
    const host = hostWith({ source: fetched, sync: applied() });
    await run(host);
    expect(host.lines()).toEqual([expect.stringContaining(context.scratch)]);
  });

  test('stops flux if the settings change while flux runs', async () => {
    const signals: (AbortSignal | undefined)[] = [];
    const host = hostWith({});
    host.run = async (_, signal) => {
      signals.push(signal);
      return { exitCode: 0, stdout: '', stderr: '' };
    };
    host.jobs.lasting = minute;
    for (const branch of ['main', 'next']) {
      await runBootstrap(host, fluxSpec({ settings: fluxSettings({ branch }) }), context).catch(() => {});
      await host.sleep(1_000);
    }
    expect(signals.map((signal) => signal?.aborted)).toEqual([true, false]);
  });

  test('throws the error of the vault, and does not run flux', async () => {
    const refusing = {
      ...aVault(),
      secret: async () => Promise.reject(new NodeError('VaultForbidden', 'no role assignment yet')),
    };
    const host = hostWith({});
    await expect(run(host, { cloud: refusing })).rejects.toMatchObject({ reason: 'VaultForbidden' });
    expect(host.lines()).toEqual([expect.stringContaining('remove')]);
  });
});

describe('the failure of runBootstrap', () => {
  test('quotes the cause, even if more than ten lines follow it, and never the token', async () => {
    const stderr = [
      '✗ source-controller: deployment not ready',
      `✗ apply failed for ${token}`,
      ...Array.from({ length: 40 }, (_, n) => `CustomResourceDefinition/crd-${n} configured`),
    ].join('\n');
    const error = await failureOf(hostWith({}).on({ file: 'flux' }, { exitCode: 1, stderr }));
    expect(error).toMatchObject({ reason: 'BootstrapFailed', endedBy: 'time', blocks: true });
    expect(error.message).toBe(
      'flux bootstrap github did not finish: source-controller: deployment not ready; apply failed for ‹redacted›. ' +
        'It is tried again unless Flux comes up by itself; if access is refused, put a token that may write to the ' +
        'repository into the secret flux-git-token.',
    );
  });

  test('makes the condition False at once if the attempt took long', async () => {
    const host = hostWith({}).on({ file: 'flux' }, (_, world) => {
      world.advance(5 * minute);
      return { exitCode: 1, stderr: '✗ timeout' };
    });
    expect(await failureOf(host)).toMatchObject({ reason: 'BootstrapFailed', endedBy: 'person' });
  });

  test('names the time limit if flux was stopped', async () => {
    const host = hostWith({}).on({ file: 'flux' }, () => {
      throw new NodeError('CommandTimedOut', 'It wrote: ► cloning branch');
    });
    const { reason, message } = await failureOf(host);
    expect(reason).toBe('BootstrapFailed');
    expect(message).toContain('did not finish within 600 s: It wrote: ► cloning branch. It is tried again');
  });
});
