/** Checks that the flux stand-in behaves as a real flux 2.9.4 was observed to behave with a real API. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { causeIn } from '../../src/agent/gitops/flux/flux-words.ts';
import { type FluxLab, fluxLab } from '../contract/flux-lab.ts';
import { run } from '../contract/gitops-flux-cli.ts';
import { bundleStandIn } from '../lab/bundle.ts';
import { fetchFailed, syncFailed } from '../lab/standins/flux-status.ts';

const folder = mkdtempSync(join(tmpdir(), 'slipway-flux-'));
const flux = join(folder, 'flux');
const sources = 'gitrepositories.source.toolkit.fluxcd.io';
const syncs = 'kustomizations.kustomize.toolkit.fluxcd.io';
const url = 'https://git.acme.test/platform.git';
/** The setting gitops.flux.timeout in milliseconds. Slipway gives flux half of it as the limit for health checks. */
const timeout = 1_000;

let lab: FluxLab;

beforeAll(() => bundleStandIn('flux', flux));
afterAll(() => rmSync(folder, { recursive: true }));
beforeEach(async () => {
  lab = await fluxLab(folder, flux);
  return () => lab.close();
});

/** Changes an object in the namespace flux-system; throws if the object does not exist. */
function change(kind: string, name: string, changed: (object: object) => object): void {
  const found = lab.found(kind, name);
  if (found === undefined) {
    throw new Error(`no ${kind} ${name}`);
  }
  lab.objects.put(kind, 'flux-system', { ...found, ...changed(found) });
}

/** Returns the lines on stderr, with `(ID)` in place of each commit id. */
function linesOf({ stderr }: { readonly stderr: string }): readonly string[] {
  return stderr
    .trim()
    .split('\n')
    .map((line) => line.replace(/\("[0-9a-f]{40}"\)/, '(ID)'));
}

const first = [
  '► connecting to github.com',
  '► cloning branch "main" from Git repository "https://github.com/acme/platform.git"',
  '✔ cloned repository',
  '► generating component manifests',
  '✔ generated component manifests',
  '✔ committed component manifests to "main" (ID)',
  '► pushing component manifests to "https://github.com/acme/platform.git"',
  '► installing components in "flux-system" namespace',
  '✔ installed components',
  '✔ reconciled components',
  '► determining if source secret "flux-system/flux-system" exists',
  '► generating source secret',
  '► applying source secret "flux-system/flux-system"',
  '✔ reconciled source secret',
  '► generating sync manifests',
  '✔ generated sync manifests',
  '✔ committed sync manifests to "main" (ID)',
  '► pushing sync manifests to "https://github.com/acme/platform.git"',
  '► applying sync manifests',
  '✔ reconciled sync configuration',
];
const healthy = [
  '◎ waiting for GitRepository "flux-system/flux-system" to be reconciled',
  '✔ GitRepository reconciled successfully',
  '◎ waiting for Kustomization "flux-system/flux-system" to be reconciled',
  '✔ Kustomization reconciled successfully',
  '► confirming components are healthy',
  '✔ helm-controller: deployment ready',
  '✔ kustomize-controller: deployment ready',
  '✔ source-controller: deployment ready',
  '✔ all components are healthy',
];
const components = ['source-controller', 'kustomize-controller', 'helm-controller'];

describe('flux bootstrap', () => {
  test('reports each step and each commit, and the components in alphabetical order', async () => {
    expect(linesOf(await lab.bootstrap({ components }))).toEqual([...first, ...healthy]);
  });

  test('reports a deploy key and its public part without --token-auth, and keeps the key in a second run', async () => {
    const lines = linesOf(await lab.bootstrap({ tokenAuth: false }));
    expect(lines).toContainEqual(expect.stringMatching(/^✔ public key: ecdsa-sha2-nistp384 \S+$/));
    expect(lines).toContainEqual(
      '✔ configured deploy key "flux-system-main-flux-system-./clusters/prod" for "https://github.com/acme/platform"',
    );
    const keys = Object.keys(Object(lab.found('secrets')?.data)).sort();
    expect(keys).toEqual(['identity', 'identity.pub', 'known_hosts']);
    expect(linesOf(await lab.bootstrap({ tokenAuth: false }))).toContain('✔ source secret up to date');
  });

  test('stores the CAs of --ca-file in the source secret, and fails if the file is missing', async () => {
    const caFile = join(lab.folder, 'ca.pem');
    expect(await lab.bootstrap({}, { caFile })).toMatchObject({
      exitCode: 1,
      stderr: `✗ unable to read TLS CA file: open ${caFile}: no such file or directory\n`,
    });
    writeFileSync(caFile, 'the CAs');
    expect(await lab.bootstrap({}, { caFile })).toMatchObject({ exitCode: 0 });
    const data = Object(lab.found('secrets')?.data);
    expect(Buffer.from(data['ca.crt'], 'base64').toString()).toBe('the CAs');
  });

  test('leaves objects with the fields and conditions that the API and the controllers add', async () => {
    await lab.bootstrap();
    expect(lab.found(sources)).toMatchObject({
      spec: { timeout: '60s' },
      status: {
        observedGeneration: 1,
        conditions: [{ type: 'Ready' }, { type: 'ArtifactInStorage' }],
      },
    });
    expect(lab.found(syncs)).toMatchObject({
      spec: { force: false, prune: true },
      status: { history: [{ lastReconciledStatus: 'ReconciliationSucceeded' }], inventory: { entries: [] } },
    });
  });

  test('names the failure of an unknown token twice, as go-git-providers does', async () => {
    const ended = await lab.bootstrap({}, { token: 'another' });
    expect(ended.stderr).toContain(
      'provider error: multiple errors occurred: \n- GET https://api.github.com/repos/acme/platform: 401 Bad credentials []\n- GET ',
    );
    expect(causeIn(ended.stderr)).toContain('401 Bad credentials');
  });

  test('tries to clone a plain repository twice', async () => {
    const ended = await lab.bootstrap({ provider: 'git', url }, { token: 'another' });
    const warning = `⚠️  clone failure: unable to clone '${url}': authentication required`;
    expect(linesOf(ended)).toEqual([
      `► cloning branch "main" from Git repository "${url}"`,
      warning,
      warning,
      `✗ failed to clone repository: unable to clone '${url}': authentication required`,
    ]);
    expect(causeIn(ended.stderr)).toContain('authentication required');
  });
});

describe('the health checks of flux bootstrap', () => {
  beforeEach(() => lab.bootstrap({ components }));

  test('fail at once for a source and a Kustomization that failed at their current generation, and name both', async () => {
    change(sources, 'flux-system', (object) => fetchFailed(object, 'authentication required'));
    change(syncs, 'flux-system', (object) => syncFailed(object, 'kustomize build failed'));
    const ended = await lab.bootstrap({ components });
    expect(linesOf(ended)).toContain('✗ authentication required');
    expect(linesOf(ended).at(-1)).toBe(
      '✗ bootstrap failed with 2 health check failure(s): ' +
        "[error while waiting for GitRepository to be ready: 'authentication required', " +
        "error while waiting for Kustomization to be ready: 'kustomize build failed']",
    );
    expect(ended.exitCode).toBe(1);
  });

  test('fail even after the token is renewed, because the source still has the failure of the old token', async () => {
    change(sources, 'flux-system', (object) => fetchFailed(object, 'authentication required'));
    const ended = await lab.bootstrap({ components });
    expect(linesOf(ended)).toContain('✔ reconciled source secret');
    expect(linesOf(ended).at(-1)).toBe(
      '✗ bootstrap failed with 1 health check failure(s): ' +
        "error while waiting for GitRepository to be ready: 'authentication required'",
    );
  });

  test('ignore a failure at an older generation until the time limit, and then quote the failure', async () => {
    change(sources, 'flux-system', (object) => {
      const failed = fetchFailed(object, 'no such host');
      return { ...failed, status: { ...failed.status, observedGeneration: -1 } };
    });
    const start = performance.now();
    const ended = await lab.bootstrap({ components, timeout });
    expect(performance.now() - start).toBeGreaterThan(timeout / 2);
    expect(linesOf(ended)).toContain("✗ gitrepository 'flux-system/flux-system' not ready: 'no such host'");
  });

  test('fail for a suspended object, which stays suspended', async () => {
    change(sources, 'flux-system', (object) => ({ spec: { ...Object(object).spec, suspend: true } }));
    const ended = await lab.bootstrap({ components });
    expect(ended.exitCode).toBe(1);
    expect(linesOf(ended)).toContain("✗ GitRepository 'flux-system/flux-system' is suspended");
    expect(lab.found(sources)).toMatchObject({ spec: { suspend: true } });
  });

  test('name each component that is not ready, after a second time limit', async () => {
    change('deployments.apps', 'kustomize-controller', () => ({ status: { availableReplicas: 0 } }));
    const ended = await lab.bootstrap({ components, timeout });
    expect(linesOf(ended).slice(-4)).toEqual(
      [
        '✗ kustomize-controller: deployment not ready',
        '✔ source-controller: deployment ready',
        '✗ bootstrap failed with 1 health check failure(s): timed out waiting for all resources to be ready',
      ].flatMap((line, at) => (at === 0 ? ['✔ helm-controller: deployment ready', line] : [line])),
    );
    expect(causeIn(ended.stderr)).toContain('kustomize-controller: deployment not ready');
  });
});

test.each([
  ['--ssh-rsa-bits=512', 'RSA key bit size must be at least 1024'],
  ['--ssh-rsa-bits=2049', 'RSA key bit size must be a multiples of 8'],
  ['--kube-api-qps=many', 'strconv.ParseFloat: parsing "many": invalid syntax'],
  ['--log-level=loud', "unsupported log level 'loud', must be one of: debug, info, error"],
])('flux refuses %s with its own message', async (flag, words) => {
  const [name = '', value] = flag.split('=');
  expect((await run(flux, ['bootstrap', 'github', flag])).stderr).toContain(
    `✗ invalid argument "${value}" for "${name}" flag: ${words}`,
  );
});

test.each([
  '--ssh-hostkey-algos=rsa-sha2-512,rsa-sha2-256',
  '--ssh-signing-key-file=/key',
  '--ssh-signing-password=x',
  '--ssh-signing-reuse-private-key',
  '--sparse-checkout=clusters',
  '--as-user-extra=a=b',
  '--ns-follows-kube-context',
])('flux knows %s', async (flag) => {
  expect((await run(flux, ['bootstrap', 'git', flag])).stderr).not.toContain('unknown flag');
});
