/** Tests that a new cloud in the table takes effect wherever the program depends on the cloud. */
import { describe, expect, test } from 'vitest';
import * as z from 'zod/mini';
import { hintsOf } from '../../../../src/agent/clouds/chosen.ts';
import type { Clouds } from '../../../../src/agent/clouds/index.ts';
import { metadataAddresses } from '../../../../src/agent/clouds/metadata.ts';
import { isFirewallRefusal, isSameRegistry } from '../../../../src/agent/clouds/registries.ts';
import { cloudProbes } from '../../../../src/agent/doctor/cloud.ts';
import { NodeError } from '../../../../src/agent/engine/errors.ts';
import { gitOpsEngines } from '../../../../src/agent/gitops/index.ts';
import { comesByItself, roleOf } from '../../../../src/agent/knowledge.ts';
import { imdsGuard } from '../../../../src/agent/parts/network/imds-guard.ts';
import { renderProviderSettings } from '../../../../src/agent/parts/registry/kubelet-plugin.ts';
import { loginRenewersStopped } from '../../../../src/agent/parts/registry/older-timers.ts';
import { misfits } from '../../../../src/agent/settings/rules.ts';
import type { Settings } from '../../../../src/agent/settings/schema.ts';
import { cloudChoice } from '../../../../src/agent/settings/sections/cloud.ts';
import { sectionsWith } from '../../../../src/agent/settings/sections.ts';
import { cloudHelp } from '../../../../src/commands/cli-common.ts';
import { makeCloud } from '../../../../src/commands/compose.ts';
import { connectionKey } from '../../../../src/commands/one-connection.ts';
import { FakeCloud } from '../../../lab/fake-cloud.ts';
import { landings, withMoon } from '../../../lab/made-up-cloud.ts';
import { memoryHost } from '../../../lab/memory-host.ts';
import { aNode, someSettings } from '../a-node.ts';

const sections = sectionsWith(withMoon, gitOpsEngines);
const moon = { tower: 'http://169.254.0.99', crater: 'tycho' };
/** Settings as a schema with the made-up cloud parses them. */
const settings = Object.assign(someSettings(), { cloud: 'moon' as 'azure', moon });

describe('settings with a made-up cloud', () => {
  test('accept the name of the cloud, and name it in the explanation', () => {
    const choice = cloudChoice(withMoon);
    expect(z.parse(choice, 'moon')).toBe('moon');
    expect(z.globalRegistry.get(choice)?.description).toContain('moon asks mission control');
    expect(z.safeParse(cloudChoice({}), 'moon').success).toBe(false);
  });

  test('have a section with defaults for the cloud, before section imds because the cloud has a metadata service', () => {
    expect(z.parse(sections.moon.schema, sections.moon.defaults)).toEqual({ tower: 'http://169.254.0.23' });
    const names = Object.keys(sections);
    expect(names.filter((name) => ['moon', 'imds', 'static'].includes(name))).toEqual([
      ...['moon', 'imds', 'static'],
    ]);
  });

  test('reject a value that the rules of the cloud forbid', () => {
    expect(misfits({ moon: { crater: 'rim' } }, sections)).toEqual([
      { path: ['moon', 'crater'], message: 'is no place to land; choose another' },
    ]);
  });

  test('allow plain http only for the metadata service', () => {
    const at = (tower: string) => misfits({ moon: { tower } }, sections, metadataAddresses(withMoon));
    expect(at('http://169.254.0.23/')).toEqual([]);
    expect(at('http://tower.example')).toMatchObject([
      { path: ['moon', 'tower'], message: expect.stringContaining('could fly the lander') },
    ]);
  });
});

test('the metadata service of the made-up cloud bypasses the proxy', () => {
  expect(metadataAddresses(withMoon)).toEqual([...metadataAddresses(), '169.254.0.23']);
});

test('the help of --cloud names the made-up cloud', () => {
  expect(cloudHelp({ azure: withMoon.azure, static: withMoon.static })).toBe(
    'azure, or static: everything from the settings',
  );
  expect(cloudHelp(withMoon)).toMatch(/^azure, .*, or moon: one small step$/);
});

const eagle = { hostname: 'eagle', current: () => [], credentials: '/run/credentials/slipway.service' };

test('makeCloud passes the machine and the settings section to the adapter of the made-up cloud', () => {
  const host = memoryHost();
  expect(makeCloud(settings, host, eagle, withMoon)).toBeInstanceOf(FakeCloud);
  expect(landings.at(-1)).toEqual({
    host,
    settings: moon,
    consented: [],
    machine: {
      hostname: 'eagle',
      addresses: eagle.current,
      credentials: eagle.credentials,
    },
  });
});

test('a change of the settings section of the made-up cloud requires a new process', () => {
  const elsewhere = { ...settings, moon: { ...moon, crater: 'copernicus' } };
  expect(connectionKey(elsewhere, withMoon)).not.toBe(connectionKey(settings, withMoon));
  expect(connectionKey(elsewhere)).toBe(connectionKey(settings));
});

test("kubelet's credential plugin gets the settings section of the made-up cloud", () => {
  expect(JSON.parse(renderProviderSettings(settings, withMoon))).toMatchObject({ cloud: 'moon', moon });
});

test.each([
  ['metadata', true, 'Set the instance tag k3s-role, or --role, to one of:'],
  ['settings', false, 'Set the instance tag k3s-role, or --role, to one of:'],
  ['absent', false, 'Set role in the settings, or --role, to one of:'],
] as const)(
  'the source of the tags decides whether a missing role is awaited and how it is repaired: %s',
  (tags, isAwaited, repair) => {
    const missing = new NodeError('RoleMissing', 'This VM has no role.');
    const table = { ...withMoon, moon: { ...withMoon.moon, tags } };
    expect(comesByItself(missing, settings, table)).toBe(isAwaited);
    const loaded = { settings: { ...settings, role: undefined }, origins: {}, layers: noLayers };
    expect(() => roleOf(loaded, [], undefined, table)).toThrow(repair);
  },
);

test.each([
  ['metadata', 'no tag k3s-role'],
  ['settings', 'no tag k3s-role'],
  ['absent', 'this cloud has no tags'],
] as const)('the doctor reports a missing tag only for a cloud with tags: %s', async (tags, shown) => {
  const table = { ...withMoon, moon: { ...withMoon.moon, tags } };
  const cloud = new FakeCloud();
  const subject = { host: memoryHost(), cloud, cloudWarnings: [], settings, node: undefined };
  const [identity] = cloudProbes(subject, table);
  expect(await identity?.look()).toMatchObject({ message: expect.stringContaining(`; ${shown}`) });
});

const noLayers = { files: [], tags: [], commandLine: [] };

test.each([
  ['is awaited if time may end it', 'time', true],
  ['is not awaited if a person must end it', 'person', false],
] as const)('a missing address in a cloud whose facts are complete at once %s', (_, endedBy, isAwaited) => {
  const missing = new NodeError('NodeAddressUnknown', 'The moon is far.', { endedBy });
  expect(comesByItself(missing, settings, withMoon)).toBe(isAwaited);
});

test('the guard keeps pods from the metadata service of the made-up cloud, and from no other address', async () => {
  const [ruleset] = imdsGuard({ ...aNode('server'), settings }, async () => false, withMoon);
  const host = memoryHost().on({ file: 'systemctl' }, 'LoadState=not-found\nActiveState=inactive\n');
  const finding = await ruleset?.check(host);
  if (finding?.state !== 'Drifted') {
    throw new Error(`expected a drift, not ${finding?.state}`);
  }
  await finding.drift.remedy(host);
  const rules = (await host.readFile('/var/lib/slipway/imds-guard.nft'))?.content;
  expect(rules?.match(/ip daddr .*/g)).toEqual([
    expect.stringMatching(/^ip daddr 169\.254\.0\.99 tcp dport 80 jump refuse_/),
    expect.stringMatching(/^ip daddr 169\.254\.0\.99 tcp dport 80 meta skuid != \{ 0 \} jump refuse_/),
  ]);
});

test('hintsOf returns the wording of the made-up cloud', () => {
  expect(hintsOf(settings, withMoon).firewall).toBe('the vacuum');
});

test('isFirewallRefusal and isSameRegistry know the made-up cloud only if the table of clouds contains it', () => {
  expect(isFirewallRefusal('the airlock is shut', withMoon)).toBe(true);
  expect(isFirewallRefusal('the airlock is shut')).toBe(false);
  expect(isSameRegistry('far.moon.example', 'moon.example', withMoon)).toBe(true);
  expect(isSameRegistry('far.moon.example', 'moon.example')).toBe(false);
});

test('the timers of older scripts for the made-up cloud are stopped', () => {
  const others = loginRenewersStopped(aNode('server'), []).map(({ id }) => id);
  expect(loginRenewersStopped(aNode('server'), [], withMoon).map(({ id }) => id)).toEqual([
    ...[...others, 'Adoption/refuel'],
  ]);
});

test('makeCloud refuses an unknown cloud', () => {
  expect(() => makeCloud(settings, memoryHost(), eagle)).toThrow('no cloud moon');
});

test('an incomplete driver does not compile, nor do settings with an unknown cloud', () => {
  // @ts-expect-error A driver needs settings and an adapter.
  const nameless = { sun: { summary: 'shines' } } satisfies Clouds;
  // @ts-expect-error Settings accept only the clouds in the table.
  const chosen: Settings['cloud'] = 'moon';
  expect([nameless, chosen]).toHaveLength(2);
});
