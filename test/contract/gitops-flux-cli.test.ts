import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Secret } from '../../src/agent/engine/secret.ts';
import { gitSecret } from '../../src/agent/gitops/flux/flux-git-secret.ts';
import { isRepository } from '../../src/agent/gitops/flux/flux-repository.ts';
import { bundleStandIn } from '../lab/bundle.ts';
import { fluxSettings } from '../unit/agent/gitops/flux/settings.ts';
import { type FluxLab, fluxLab, labKubeconfig, labToken } from './flux-lab.ts';
import { everyArgument, fluxCliContract, run } from './gitops-flux-cli.ts';

const folder = mkdtempSync(join(tmpdir(), 'slipway-flux-'));
const flux = join(folder, 'flux');
const sources = 'gitrepositories.source.toolkit.fluxcd.io';
const syncs = 'kustomizations.kustomize.toolkit.fluxcd.io';

beforeAll(() => bundleStandIn('flux', flux));
afterAll(() => rmSync(folder, { recursive: true }));

fluxCliContract('the stand-in of the lab', () => flux);

const real = process.env.SLIPWAY_REAL_FLUX;
if (real) {
  fluxCliContract('the real executable', () => real);
} else {
  test.skip('the real flux executable keeps the contract (to run this, set SLIPWAY_REAL_FLUX to its path)', () => {});
}

const bitbucket = {
  provider: 'bitbucket-server',
  hostname: 'git.acme.test',
  username: 'ada',
  repository: 'Our Fleet',
} as const;

describe('the flux stand-in with an API', () => {
  let lab: FluxLab;
  const bootstrap: FluxLab['bootstrap'] = (...args) => lab.bootstrap(...args);
  const found: FluxLab['found'] = (...args) => lab.found(...args);

  beforeEach(async () => {
    lab = await fluxLab(folder, flux);
    return () => lab.close();
  });

  test('bootstraps at the path in the settings, and changes nothing in a second run', async () => {
    expect(await bootstrap()).toMatchObject({ exitCode: 0, stdout: '' });
    expect(found(sources)).toMatchObject({ spec: { url: 'https://github.com/acme/platform.git' } });
    const sync = found(syncs);
    expect(sync).toMatchObject({
      spec: { path: './clusters/prod' },
      status: { lastAppliedRevision: expect.stringMatching(/^main@sha1:[0-9a-f]{40}$/) },
    });
    const again = await bootstrap();
    expect(again.stderr).toContain('component manifests are up to date');
    expect(again.stderr).not.toContain('installing components');
    expect(found(syncs)?.status).toMatchObject({
      lastAppliedRevision: Object(sync?.status).lastAppliedRevision,
    });
  });

  test('writes its manifests to a second flux-system folder below a path that ends in flux-system', async () => {
    await bootstrap({ path: 'k8s/flux-system' });
    const sync = 'git/github.com/acme/platform/main/k8s/flux-system/flux-system/gotk-sync.yaml';
    expect(readFileSync(join(lab.folder, sync), 'utf8')).toContain('./k8s/flux-system');
  });

  test('refuses a path that differs from the path of the earlier bootstrap', async () => {
    await bootstrap();
    expect(await bootstrap({ path: 'clusters/test' })).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining(
        '✗ sync path configuration ("./clusters/test") would overwrite path ("./clusters/prod") of existing Kustomization',
      ),
    });
  });

  test('fails while a broken commit keeps the Kustomization from being ready, although all objects exist', async () => {
    await bootstrap();
    const sync = found(syncs);
    const conditions = [{ type: 'Ready', status: 'False', message: 'kustomize build failed' }];
    if (sync) {
      lab.objects.put(syncs, 'flux-system', { ...sync, status: { ...Object(sync.status), conditions } });
    }
    expect(await bootstrap()).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('✗ bootstrap failed with 1 health check failure(s)'),
    });
    expect(found(syncs)?.status).toMatchObject({ conditions, lastAppliedRevision: expect.any(String) });
  });

  test.each([
    [{ provider: 'gitea', hostname: 'codeberg.org' }, 'https://codeberg.org/acme/platform.git', 'git'],
    [bitbucket, 'https://git.acme.test/scm/acme/our-fleet.git', 'ada'],
    [{ ...bitbucket, personal: true }, 'https://git.acme.test/scm/~acme/our-fleet.git', 'acme'],
  ] as const)('bootstraps %j from %s, and stores the user %s', async (changes, url, user) => {
    const settings = fluxSettings(changes);
    expect(await bootstrap(changes)).toMatchObject({ exitCode: 0 });
    expect(found(sources)).toMatchObject({ spec: { url } });
    expect(isRepository(settings, url)).toBe(true);
    const { username = '' } = Object(Object(found('secrets')).data);
    expect(Buffer.from(username, 'base64').toString()).toBe(user);
    expect(
      gitSecret(settings, undefined)
        .values(() => new Secret(''))
        .username?.reveal(),
    ).toBe(user);
  });

  test('refuses bitbucket-server without a host name', async () => {
    expect(await bootstrap({ provider: 'bitbucket-server' })).toMatchObject({
      exitCode: 1,
      stderr: '✗ invalid hostname ""\n',
    });
  });

  test('rejects an unknown token and writes nothing', async () => {
    expect(await bootstrap({}, { token: 'another' })).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('401 Bad credentials'),
    });
    expect(found(syncs)).toBeUndefined();
  });

  test('refuses to bootstrap without a required component', async () => {
    expect(await bootstrap({ components: ['source-controller'] })).toMatchObject({
      exitCode: 1,
      stderr: '✗ component kustomize-controller is required\n',
    });
  });

  test('fails without a kubeconfig, an API or HOME', async () => {
    const env = { GITHUB_TOKEN: labToken };
    expect((await run(flux, everyArgument('github'), env)).stderr).toContain('no such file or directory');
    const args = everyArgument('github', lab.kubeconfig);
    expect((await run(flux, args, { ...env, HOME: '' })).stderr).toContain('$HOME is not defined');
    writeFileSync(lab.kubeconfig, labKubeconfig(lab.folder, 'https://127.0.0.1:1'));
    expect((await run(flux, args, env)).stderr).toContain('connection refused');
  });

  test.each([
    ['--personal=yes', 'invalid argument "yes" for "--personal" flag: strconv.ParseBool: parsing "yes"'],
    ['--timeout=10', 'invalid argument "10" for "--timeout" flag: time: invalid duration "10"'],
    ['--owner', 'flag needs an argument: --owner'],
    ['--token=x', 'unknown flag: --token'],
  ])('refuses %s with the error message of the real flux', async (flag, words) => {
    expect((await run(flux, ['bootstrap', 'github', flag])).stderr).toContain(`✗ ${words}`);
  });
});
