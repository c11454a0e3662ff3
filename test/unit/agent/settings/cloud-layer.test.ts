import { describe, expect, test } from 'vitest';
import { nodePaths } from '../../../../src/agent/paths.ts';
import { cloudLayers } from '../../../../src/agent/settings/cloud-layer.ts';
import type { Layer } from '../../../../src/agent/settings/merge.ts';
import { withMoon } from '../../../lab/made-up-cloud.ts';
import { memoryHost } from '../../../lab/memory-host.ts';

const paths = nodePaths('/');
const onMoon = { '/run/cloud-init/cloud-id': 'moon\n' };

/** Returns the choice of the cloud for the settings of these files. */
function chosen(written: readonly object[], files = {}) {
  const layers = written.map((values, at): Layer => ({ origin: `file ${at}`, values }));
  return cloudLayers(memoryHost({ files }), paths, layers, withMoon);
}

function warningOf(used: string): string {
  return `This machine has a sign of the cloud moon (cloud-init's id moon), but Slipway uses ${used}, because the settings do not set cloud and have a section only for ${used}. Set cloud: ${used} to confirm this choice, or cloud: moon to use moon.`;
}

describe('the choice of a cloud that the settings do not name', () => {
  test.each([
    ['static', [{ static: { tags: {} } }]],
    ['static', [{ role: 'server' }, { static: {} }]],
    ['static', [{ cloud: 'azure' }, { static: {}, cloud: null }]],
    ['static', [{ azure: { keyVault: { name: 'myteam' } } }, { azure: null, static: {} }]],
    ['azure', [{ azure: { keyVault: { name: 'myteam' } } }]],
  ])(
    'keeps %s, the only cloud with a section, despite signs of another, and warns: %j',
    async (used, written) => {
      expect(await chosen(written, onMoon)).toEqual([
        { origin: `auto: only ${used} has a section`, values: { cloud: used }, warning: warningOf(used) },
      ]);
    },
  );

  test('takes the only cloud with a section on a machine without signs, and does not warn', async () => {
    expect(await chosen([{ azure: {} }])).toEqual([
      { origin: 'auto: only azure has a section', values: { cloud: 'azure' } },
    ]);
  });

  test.each([
    ['no section', [{ role: 'server' }]],
    ['the sections of two clouds', [{ azure: {} }, { static: {} }]],
    ['the section of the cloud that the signs indicate', [{ moon: {} }]],
    ['auto and a section', [{ cloud: 'auto', static: {} }]],
    ['auto in a later file than the section', [{ cloud: 'static', static: {} }, { cloud: 'auto' }]],
    ['a section that a later file resets', [{ static: {} }, { static: null }]],
    ['a section that is not the section of a cloud', [{ k3s: { upgrade: 'auto' } }]],
  ])('follows the signs, without a warning, for %s', async (_what, written) => {
    expect(await chosen(written, onMoon)).toEqual([
      { origin: "auto: cloud-init's id moon", values: { cloud: 'moon' } },
    ]);
  });

  test('is static, with the origin "auto: no cloud detected", if only static has a section and the machine has no signs', async () => {
    expect(await chosen([{ static: {} }])).toEqual([
      { origin: 'auto: no cloud detected', values: { cloud: 'static' } },
    ]);
  });
});

test.each([
  [[{ cloud: 'azure', static: {} }]],
  [[{ cloud: 'azur' }]],
  [[{ cloud: 'auto' }, { cloud: 'static' }]],
])('Slipway chooses no cloud if the settings name one, even an invalid one: %j', async (written) => {
  expect(await chosen(written, onMoon)).toEqual([]);
});
