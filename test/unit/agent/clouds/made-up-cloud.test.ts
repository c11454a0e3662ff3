/** A cloud in a table of the test's own is seen wherever something depends on which cloud it is. */
import { describe, expect, test } from 'vitest';
import * as z from 'zod/mini';
import { hintsOf } from '../../../../src/agent/clouds/chosen.ts';
import type { Clouds } from '../../../../src/agent/clouds/index.ts';
import { metadataAddresses } from '../../../../src/agent/clouds/metadata.ts';
import { isFirewallRefusal, isSameRegistry } from '../../../../src/agent/clouds/registries.ts';
import { askedBy } from '../../../../src/agent/doctor/doctor.ts';
import { NodeError } from '../../../../src/agent/engine/errors.ts';
import { gitOpsEngines } from '../../../../src/agent/gitops/index.ts';
import { comesByItself } from '../../../../src/agent/knowledge.ts';
import { imdsGuard } from '../../../../src/agent/parts/network/imds-guard.ts';
import { renderProviderSettings } from '../../../../src/agent/parts/registry/kubelet-plugin.ts';
import { loginRenewersStopped } from '../../../../src/agent/parts/registry/older-timers.ts';
import { misfits } from '../../../../src/agent/settings/rules.ts';
import type { Settings } from '../../../../src/agent/settings/schema.ts';
import { cloudChoice } from '../../../../src/agent/settings/sections/cloud.ts';
import { sectionsWith } from '../../../../src/agent/settings/sections.ts';
import { cloudHelp } from '../../../../src/commands/cli-common.ts';
import { connectionKey, makeCloud } from '../../../../src/commands/compose.ts';
import { FakeCloud } from '../../../lab/fake-cloud.ts';
import { landings, withMoon } from '../../../lab/made-up-cloud.ts';
import { memoryHost } from '../../../lab/memory-host.ts';
import { aNode, someSettings } from '../a-node.ts';

const sections = sectionsWith(withMoon, gitOpsEngines);
const moon = { tower: 'http://169.254.0.99', crater: 'tycho' };
/** Settings as a schema with that table would have parsed them. */
const settings = Object.assign(someSettings(), { cloud: 'moon' as 'azure', moon });

describe('settings', () => {
  test('its name can be chosen, and is explained', () => {
    const choice = cloudChoice(withMoon);
    expect(z.parse(choice, 'moon')).toBe('moon');
    expect(z.globalRegistry.get(choice)?.description).toContain('moon asks mission control');
    expect(z.safeParse(cloudChoice({}), 'moon').success).toBe(false);
  });

  test('its section has a schema and defaults, before imds where it has a metadata service', () => {
    expect(z.parse(sections.moon.schema, sections.moon.defaults)).toEqual({ tower: 'http://169.254.0.23' });
    const names = Object.keys(sections);
    expect(names.filter((name) => ['moon', 'imds', 'static'].includes(name))).toEqual([
      ...['moon', 'imds', 'static'],
    ]);
  });

  test('its rules hold', () => {
    expect(misfits({ moon: { crater: 'rim' } }, sections)).toEqual([
      { path: ['moon', 'crater'], message: 'is no place to land; choose another' },
    ]);
  });

  test('its metadata service may be plain http, and nothing else in its place', () => {
    const at = (tower: string) => misfits({ moon: { tower } }, sections, metadataAddresses(withMoon));
    expect(at('http://169.254.0.23/')).toEqual([]);
    expect(at('http://tower.example')).toMatchObject([
      { path: ['moon', 'tower'], message: expect.stringContaining('could fly the lander') },
    ]);
  });
});

test('no proxy is asked for its metadata service', () => {
  expect(metadataAddresses(withMoon)).toEqual([...metadataAddresses(), '169.254.0.23']);
});

test('its name is in the help of --cloud', () => {
  expect(cloudHelp({ azure: withMoon.azure, static: withMoon.static })).toBe(
    'azure, or static: everything from the settings',
  );
  expect(cloudHelp(withMoon)).toMatch(/^azure, .*, or moon: one small step$/);
});

test('its adapter is made of its section', () => {
  const host = memoryHost();
  expect(
    makeCloud(settings, host, { hostname: 'eagle', addresses: ['::1', '10.0.0.7'] }, withMoon),
  ).toBeInstanceOf(FakeCloud);
  expect(landings.at(-1)).toEqual({
    host,
    settings: moon,
    consented: [],
    machine: { hostname: 'eagle', address: '10.0.0.7' },
  });
});

test('another section makes a new process necessary', () => {
  const elsewhere = { ...settings, moon: { ...moon, crater: 'copernicus' } };
  expect(connectionKey(elsewhere, withMoon)).not.toBe(connectionKey(settings, withMoon));
  expect(connectionKey(elsewhere)).toBe(connectionKey(settings));
});

test("kubelet's plugin is told its section", () => {
  expect(JSON.parse(renderProviderSettings(settings, withMoon))).toMatchObject({ cloud: 'moon', moon });
});

test('the doctor asks what it names', () => {
  expect(askedBy(settings, withMoon).map(({ hostname }) => hostname)).toEqual([
    'tycho.moon.example',
    'github.com',
  ]);
});

test.each([
  ['one that fills in tags later', true],
  ['one that knows them at once', false],
])('a missing role is waited for in %s', (_, fillsInLater) => {
  const missing = new NodeError('RoleMissing', 'This VM has no role.');
  const table = { ...withMoon, moon: { ...withMoon.moon, fillsInLater } };
  expect(comesByItself(missing, settings, table)).toBe(fillsInLater);
});

test('pods are kept from its metadata service, and from nothing else at that address', async () => {
  const [ruleset] = imdsGuard({ ...aNode('server'), settings }, withMoon);
  const host = memoryHost();
  const finding = await ruleset?.check(host);
  if (finding?.state !== 'Drifted') throw new Error(`expected a drift, not ${finding?.state}`);
  await finding.drift.remedy(host);
  const rules = (await host.readFile('/var/lib/slipway/imds-guard.nft'))?.content;
  expect(rules?.match(/ip daddr .*/g)).toEqual([
    expect.stringMatching(/^ip daddr 169\.254\.0\.99 tcp dport 80 jump refuse_/),
    expect.stringMatching(/^ip daddr 169\.254\.0\.99 tcp dport 80 meta skuid != \{ 0 \} jump refuse_/),
  ]);
});

test('messages have its words', () => {
  expect(hintsOf(settings, withMoon).firewall).toBe('the vacuum');
});

test('its registries are known to every cloud', () => {
  expect(isFirewallRefusal('the airlock is shut', withMoon)).toBe(true);
  expect(isFirewallRefusal('the airlock is shut')).toBe(false);
  expect(isSameRegistry('far.moon.example', 'moon.example', withMoon)).toBe(true);
  expect(isSameRegistry('far.moon.example', 'moon.example')).toBe(false);
});

test('the timers of its older scripts are stopped', () => {
  const others = loginRenewersStopped(aNode('server'), []).map(({ id }) => id);
  expect(loginRenewersStopped(aNode('server'), [], withMoon).map(({ id }) => id)).toEqual([
    ...[...others, 'Adoption/refuel'],
  ]);
});

test('a cloud that is not in the table is never taken for another', () => {
  expect(() => makeCloud(settings, memoryHost(), { hostname: '', addresses: [] })).toThrow('no cloud moon');
});

test('a name without its record does not compile', () => {
  // @ts-expect-error It has no settings, no adapter, nothing but a name.
  const nameless = { sun: { summary: 'shines' } } satisfies Clouds;
  // @ts-expect-error Settings know the clouds of the table alone.
  const chosen: Settings['cloud'] = 'moon';
  expect([nameless, chosen]).toHaveLength(2);
});
