import { expect, test } from 'vitest';
import { nodePaths } from '../../../../src/agent/paths.ts';
import { load } from '../../../../src/agent/settings/load.ts';
import { withTags } from '../../../../src/agent/settings/tags.ts';
import { cloudWarnings, settingsWarnings } from '../../../../src/agent/settings/warnings.ts';
import { memoryHost } from '../../../lab/memory-host.ts';

async function loaded(config: string) {
  const files = { '/etc/slipway/config.yaml': config, '/run/cloud-init/cloud-id': 'oracle\n' };
  return load(memoryHost({ files }), { paths: nodePaths('/') });
}

test('a node with only the section static stays static when its machine shows a sign of another cloud, and warns', async () => {
  const settings = await loaded('static: { tags: { k3s-role: server } }\n');
  expect(settings.settings.cloud).toBe('static');
  expect(settings.origins.cloud).toBe('auto: only static has a section');
  const warning = expect.stringMatching(
    /sign of the cloud oracle .* but Slipway uses static, .*cloud: oracle/,
  );
  expect(cloudWarnings(settings)).toEqual([warning]);
  expect(settingsWarnings(settings)).toEqual([warning]);
  // Tags add a layer to the same settings, and must not change the warnings.
  expect(settingsWarnings(withTags(settings, { 'k3s-role': 'server' }).loaded)).toEqual([warning]);
});

test('there is no warning if the settings name the cloud, or if the signs agree with the section', async () => {
  expect(settingsWarnings(await loaded('cloud: static\nstatic: {}\n'))).toEqual([]);
  expect(settingsWarnings(await loaded('oracle: {}\n'))).toEqual([]);
});

test('the warnings about consents precede those about the cloud', async () => {
  const all = settingsWarnings(await loaded('static: {}\nconsent: { tokenChange: true }\n'));
  expect(all).toEqual([expect.stringContaining('consent.tokenChange'), expect.stringContaining('oracle')]);
});
