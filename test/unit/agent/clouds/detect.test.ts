import { describe, expect, test } from 'vitest';
import { detectCloud } from '../../../../src/agent/clouds/detect.ts';
import { clouds } from '../../../../src/agent/clouds/index.ts';
import { nodePaths } from '../../../../src/agent/paths.ts';
import { load } from '../../../../src/agent/settings/load.ts';
import { withMoon } from '../../../lab/made-up-cloud.ts';
import { memoryHost } from '../../../lab/memory-host.ts';

const { system } = nodePaths('/');
const id = '/run/cloud-init/cloud-id';
const chassis = '/sys/class/dmi/id/chassis_asset_tag';
const azureChassis = '7783-7084-3265-9085-8269-3286-77';

describe('detectCloud recognises', () => {
  test.each([
    ["Azure by cloud-init's id", { [id]: 'azure\n' }, 'azure', "cloud-init's id azure"],
    ["Oracle Cloud by cloud-init's id", { [id]: 'oracle\n' }, 'oracle', "cloud-init's id oracle"],
    [
      'Oracle Cloud by the firmware',
      { [chassis]: 'OracleCloud.com\n' },
      'oracle',
      'chassis_asset_tag OracleCloud.com',
    ],
    [
      'Azure by the firmware',
      { [chassis]: `${azureChassis}\n` },
      'azure',
      `chassis_asset_tag ${azureChassis}`,
    ],
    [
      'Azure by the firmware of an image that was prepared with NoCloud',
      { [id]: 'nocloud\n', [chassis]: `${azureChassis}\n` },
      'azure',
      `chassis_asset_tag ${azureChassis}`,
    ],
    ['a cloud by another string', { '/sys/class/dmi/id/sys_vendor': 'Moon\n' }, 'moon', 'sys_vendor Moon'],
    ['no cloud without signs', {}, 'static', 'no cloud detected'],
    ['no cloud in an empty id', { [id]: '\n' }, 'static', 'no cloud detected'],
    ['no cloud that the table lacks', { [id]: 'gce\n' }, 'static', 'no cloud detected'],
  ])('%s', async (_, files, name, by) => {
    expect(await detectCloud(memoryHost({ files }), system, withMoon)).toEqual({ name, by });
  });

  test("the cloud of cloud-init's id before that of the firmware", async () => {
    const host = memoryHost({ files: { [id]: 'moon\n', [chassis]: `${azureChassis}\n` } });
    expect(await detectCloud(host, system, withMoon)).toMatchObject({ name: 'moon' });
  });
});

test('the signs of no two clouds are the same', () => {
  const signs = Object.values(clouds).flatMap(({ signs }) =>
    signs === 'absent' ? [] : [signs.cloudId, ...Object.values(signs.dmi)],
  );
  expect(new Set(signs).size).toBe(signs.length);
});

describe('cloud in the settings', () => {
  const azureVm = { [id]: 'azure\n' };
  const own = '/etc/slipway/config.yaml';
  const later = '/etc/slipway/config.d/50.yaml';

  test.each([
    ['no value', {}, 'azure', "auto: cloud-init's id azure"],
    ['auto', { [own]: 'cloud: auto\n' }, 'azure', "auto: cloud-init's id azure"],
    ['static', { [own]: 'cloud: static\n' }, 'static', own],
    [
      'auto in a later file',
      { [own]: 'cloud: static\n', [later]: 'cloud: auto\n' },
      'azure',
      "auto: cloud-init's id azure",
    ],
    ['static in a later file', { [own]: 'cloud: auto\n', [later]: 'cloud: static\n' }, 'static', later],
    [
      'a later file that resets it',
      { [own]: 'cloud: static\n', [later]: 'cloud:\n' },
      'azure',
      "auto: cloud-init's id azure",
    ],
  ])('with %s is resolved, with its origin', async (_, files, cloud, origin) => {
    const host = memoryHost({ files: { ...azureVm, ...files } });
    const { settings, origins } = await load(host, { paths: nodePaths('/') });
    expect({ cloud: settings.cloud, origin: origins.cloud }).toEqual({ cloud, origin });
  });

  test('on the command line is not detected', async () => {
    const commandLine = [{ option: '--cloud', path: 'cloud', value: 'static' }];
    const { settings, origins } = await load(memoryHost({ files: azureVm }), {
      paths: nodePaths('/'),
      commandLine,
    });
    expect({ cloud: settings.cloud, origin: origins.cloud }).toEqual({
      cloud: 'static',
      origin: 'command line --cloud',
    });
  });

  test('is not detected again if a file that says it has another fault', async () => {
    const host = memoryHost({ files: { [own]: 'cloud: azur\n' } });
    await expect(load(host, { paths: nodePaths('/') })).rejects.toThrow('did you mean `azure`?');
  });
});
