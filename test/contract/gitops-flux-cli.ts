import { execFile } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { bootstrapArguments } from '../../src/agent/gitops/flux/flux-arguments.ts';
import type { FluxSettings } from '../../src/agent/gitops/flux/settings.ts';
import { fluxProviderNames, fluxSettings } from '../unit/agent/gitops/flux/settings.ts';

/** Checks what Slipway requires of a flux CLI, either the real one or the stand-in of the lab. */
export function fluxCliContract(name: string, flux: () => string): void {
  describe(`the flux CLI, ${name}`, () => {
    test('prints its version in the form of the pinned release', async () => {
      expect(await run(flux(), ['--version'])).toMatchObject({
        exitCode: 0,
        stdout: expect.stringMatching(/^flux version \d+\.\d+\.\d+\S*\n$/),
      });
    });

    test.each(fluxProviderNames)('knows every flag that Slipway passes for %s', async (provider) => {
      const { stdout } = await run(flux(), ['bootstrap', provider, '--help']);
      const known = new Set(stdout.match(/--[a-z0-9-]+/g));
      const passed = everyArgument(provider).filter((arg) => arg.startsWith('--'));
      expect(passed.map((arg) => arg.split('=')[0]).filter((flag) => !known.has(flag ?? ''))).toEqual([]);
    });

    test('refuses an unknown flag', async () => {
      expect(await run(flux(), ['bootstrap', 'github', '--tokn=x'])).toMatchObject({
        exitCode: 1,
        stderr: expect.stringContaining('✗ unknown flag: --tokn'),
      });
    });

    test.each(fluxProviderNames)(
      'fails for %s if neither the environment nor stdin has a token',
      async (provider) => {
        expect(await run(flux(), everyArgument(provider))).toMatchObject({
          exitCode: 1,
          stderr: expect.stringContaining('✗ could not read token: could not read from stdin: EOF'),
        });
      },
    );
  });
}

/** Returns the arguments of `flux bootstrap` with every flag that the settings of this provider can add. */
export function everyArgument(
  provider: FluxSettings['provider'],
  kubeconfig = '/nowhere/k3s.yaml',
): readonly string[] {
  const settings = fluxSettings({
    provider,
    hostname: 'git.acme.test',
    url: 'https://git.acme.test/acme/platform.git',
    componentsExtra: ['image-reflector-controller'],
  });
  return bootstrapArguments(settings, kubeconfig);
}

export interface Ended {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the CLI with an empty stdin, and with only these variables and HOME in its environment. */
export function run(
  file: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  return new Promise((resolve) => {
    const child = execFile(file, [...args], { env: { HOME: '/nowhere', ...env } }, (error, stdout, stderr) =>
      resolve({ exitCode: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
    child.stdin?.end();
  });
}
