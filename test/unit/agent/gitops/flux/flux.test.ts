import { describe, expect, test } from 'vitest';
import { fluxGitOps } from '../../../../../src/agent/gitops/flux/flux.ts';
import { fluxExecutable } from '../../../../../src/agent/gitops/flux/flux-release.ts';
import { memoryHost } from '../../../../lab/memory-host.ts';
import { carryOut } from '../../../../lab/memory-jobs.ts';
import { context, fluxSettings, fluxSpec } from './settings.ts';

const base = 'https://github.com/fluxcd/flux2/releases/download/v2.9.4';

test('fluxGitOps plans the executable, the bootstrap, the Git token and the check of the sync', () => {
  const plan = fluxGitOps(fluxSpec()).resources(context);
  expect(plan.map(({ id }) => id)).toEqual([
    'Executable/flux',
    'Bootstrap/flux-system',
    'Secret/flux-system/flux-system',
    'Sync/flux-system',
  ]);
});

test('fluxGitOps throws for settings without a provider', () => {
  const { provider: _, ...settings } = fluxSettings();
  expect(() => fluxGitOps({ ...fluxSpec(), settings })).toThrow('gitops.flux.provider is not set');
});

describe('fluxExecutable', () => {
  test.each([
    ['x64', 'amd64'],
    ['arm64', 'arm64'],
  ] as const)(
    'on %s, downloads the %s archive, and verifies it against the checksum file of the release',
    async (arch, name) => {
      const host = memoryHost().on({ file: 'flux' }, { exitCode: 127 });
      host.onDownload(`${base}/flux_2.9.4_linux_${name}.tar.gz`, (download) => {
        expect(download).toMatchObject({
          checksum: { url: `${base}/flux_2.9.4_checksums.txt`, name: `flux_2.9.4_linux_${name}.tar.gz` },
          member: 'flux',
          mode: 0o755,
        });
        return 'flux';
      });
      const finding = await fluxExecutable(fluxSettings(), { ...context, arch }).check(host);
      if (finding.state !== 'Drifted') {
        throw new Error('nothing to download');
      }
      await carryOut(finding.drift.remedy, host);
      expect(host.files.text('/usr/local/bin/flux')).toBe('flux');
    },
  );

  test.each([
    ['flux version 2.9.4\n', 'InSync'],
    ['flux version 2.9.3\n', 'Drifted'],
    ['flux version 2.9.40\n', 'Drifted'],
    ['Segmentation fault\n', 'Drifted'],
  ])('judges an executable that prints %j as %s', async (stdout, state) => {
    const host = memoryHost().on({ file: '/usr/local/bin/flux', args: ['--version'] }, stdout);
    expect(await fluxExecutable(fluxSettings(), context).check(host)).toMatchObject({ state });
  });
});
