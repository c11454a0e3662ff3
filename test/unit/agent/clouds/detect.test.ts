import { describe, expect, test } from 'vitest';
import { detectCloud } from '../../../../src/agent/clouds/detect.ts';
import type { CloudDriver } from '../../../../src/agent/clouds/driver.ts';
import { type CloudName, clouds } from '../../../../src/agent/clouds/index.ts';
import { roleOf } from '../../../../src/agent/knowledge.ts';
import { nodePaths } from '../../../../src/agent/paths.ts';
import { load } from '../../../../src/agent/settings/load.ts';
import { withMoon } from '../../../lab/made-up-cloud.ts';
import { memoryHost } from '../../../lab/memory-host.ts';

const { system } = nodePaths('/');
const id = '/run/cloud-init/cloud-id';
const chassis = '/sys/class/dmi/id/chassis_asset_tag';
const azureChassis = '7783-7084-3265-9085-8269-3286-77';

describe('detectCloud', () => {
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
      'a cloud by a firmware string that ends in spaces',
      { [chassis]: 'OracleCloud.com  \n' },
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
    [
      'a cloud by another firmware string',
      { '/sys/class/dmi/id/sys_vendor': 'Moon\n' },
      'moon',
      'sys_vendor Moon',
    ],
    ['no cloud on a machine without signs', {}, 'static', 'no cloud detected'],
    ['no cloud by an empty id', { [id]: '\n' }, 'static', 'no cloud detected'],
    ['no cloud by an id that belongs to none', { [id]: 'gce\n' }, 'static', 'no cloud detected'],
  ])('recognizes %s', async (_, files, name, by) => {
    expect(await detectCloud(memoryHost({ files }), system, withMoon)).toEqual({ name, by });
  });

  test("prefers cloud-init's id to the firmware", async () => {
    const host = memoryHost({ files: { [id]: 'moon\n', [chassis]: `${azureChassis}\n` } });
    expect(await detectCloud(host, system, withMoon)).toMatchObject({ name: 'moon' });
  });
});

/** The signs of every cloud, taken from cloud-init's tools/ds-identify independently of the program. */
const sourcedSigns: Readonly<Record<CloudName, CloudDriver['signs']>> = {
  azure: { cloudId: 'azure', dmi: { chassis_asset_tag: azureChassis } },
  oracle: { cloudId: 'oracle', dmi: { chassis_asset_tag: 'OracleCloud.com' } },
  static: 'absent',
};

test.each(Object.entries(sourcedSigns))(
  'the driver of cloud %s has the signs by which cloud-init recognizes the cloud',
  (name, signs) => {
    expect(new Map(Object.entries<CloudDriver>(clouds)).get(name)?.signs).toEqual(signs);
  },
);

test('no two clouds have a sign in common', () => {
  const signs = Object.values(clouds).flatMap(({ signs }) =>
    signs === 'absent' ? [] : [signs.cloudId, ...Object.values(signs.dmi)],
  );
  expect(new Set(signs).size).toBe(signs.length);
});

describe('the setting cloud', () => {
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
      'a later file that resets the setting to its default',
      { [own]: 'cloud: static\n', [later]: 'cloud:\n' },
      'azure',
      "auto: cloud-init's id azure",
    ],
  ])('is resolved, with its origin, for %s', async (_, files, cloud, origin) => {
    const host = memoryHost({ files: { ...azureVm, ...files } });
    const { settings, origins } = await load(host, { paths: nodePaths('/') });
    expect({ cloud: settings.cloud, origin: origins.cloud }).toEqual({ cloud, origin });
  });

  test('is not detected from the machine if the command line sets it', async () => {
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

  test('is not detected from the machine if a file sets an invalid value, and the error suggests a valid value', async () => {
    const host = memoryHost({ files: { [own]: 'cloud: azur\n' } });
    await expect(load(host, { paths: nodePaths('/') })).rejects.toThrow('did you mean `azure`?');
  });
});

test('detectCloud throws the error of a file that should show a sign but cannot be read', async () => {
  const host = memoryHost();
  const readFile = async (path: string) => {
    if (path === chassis) {
      throw new Error('EIO');
    }
    return host.readFile(path);
  };
  await expect(detectCloud(Object.assign(memoryHost(), { readFile }), system)).rejects.toThrow('EIO');
});

describe('roleOf', () => {
  test('reports that no cloud was detected, unless the settings name the static cloud', async () => {
    const undetected = await load(memoryHost(), { paths: nodePaths('/') });
    const named = await load(memoryHost({ files: { '/etc/slipway/config.yaml': 'cloud: static\n' } }), {
      paths: nodePaths('/'),
    });
    expect(() => roleOf(undetected)).toThrow('No cloud was detected');
    expect(() => roleOf(named)).not.toThrow('No cloud was detected');
  });
});
