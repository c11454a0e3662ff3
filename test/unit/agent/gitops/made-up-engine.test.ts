/** Tests that a new engine in the table takes effect wherever the program depends on the engine. */
import { describe, expect, test } from 'vitest';
import * as z from 'zod/mini';
import { clouds } from '../../../../src/agent/clouds/index.ts';
import { NodeError } from '../../../../src/agent/engine/errors.ts';
import { chosenEngine, enginePrograms, engineRemains } from '../../../../src/agent/gitops/chosen.ts';
import type { GitOpsEngine, GitOpsGround } from '../../../../src/agent/gitops/engine.ts';
import { type GitOpsEngines, gitOpsEngines } from '../../../../src/agent/gitops/index.ts';
import { gitOpsSection } from '../../../../src/agent/gitops/settings.ts';
import { words } from '../../../../src/agent/settings/forms.ts';
import { misfits } from '../../../../src/agent/settings/rules.ts';
import { about } from '../../../../src/agent/settings/section.ts';
import { sectionsWith } from '../../../../src/agent/settings/sections.ts';
import { aVault } from '../../../lab/a-vault.ts';
import { memoryHost } from '../../../lab/memory-host.ts';

const schema = z.strictObject({ chart: about('The map to sail by.', words), harbour: z.optional(words) });
const voyages: GitOpsGround<{ readonly chart: string }>[] = [];

const sail = {
  settings: {
    schema,
    defaults: { chart: 'north' },
    misfits: ({ harbour }) => (harbour ? [] : [{ path: ['harbour'], message: 'is missing; name one' }]),
    plainHttp: () => [{ path: ['chart'], risk: 'draw another map' }],
  },
  programs: ['sail'],
  secrets: ({ chart }) => [`sealed-${chart}`],
  endpoints: ({ chart }) => [new URL(`https://${chart}.example`)],
  create(ground) {
    voyages.push(ground);
    return { name: 'sail', warnings: ['storm ahead'], resources: () => [] };
  },
} as const satisfies GitOpsEngine<typeof schema>;

const withSail = { ...gitOpsEngines, sail };
const sections = sectionsWith(clouds, withSail);
const { schema: section, defaults } = sections.gitops;
const written = { ...defaults, engine: 'sail' };

describe('settings with a made-up engine', () => {
  test('accept the name of the engine, and contain its section with the defaults', () => {
    expect(z.parse(section, written)).toMatchObject({ engine: 'sail', sail: { chart: 'north' } });
    expect(z.safeParse(gitOpsSection(gitOpsEngines).schema, written).success).toBe(false);
  });

  test('list the engine in the JSON Schema', () => {
    const { properties } = z.toJSONSchema(section, { io: 'input' });
    expect(properties).toMatchObject({
      engine: { enum: [...Object.keys(gitOpsEngines), 'sail'] },
      sail: { properties: { chart: { description: 'The map to sail by.' } } },
    });
  });

  test('apply the rules of the engine only while it is chosen', () => {
    expect(misfits({ gitops: { engine: 'sail', sail: {} } }, sections)).toEqual([
      { path: ['gitops', 'sail', 'harbour'], message: 'is missing; name one' },
    ]);
    expect(misfits({ gitops: { engine: 'none', sail: {} } }, sections)).toEqual([]);
  });

  test('refuse plain http for the downloads of the engine, even if it is not chosen', () => {
    expect(misfits({ gitops: { sail: { chart: 'http://maps.example' } } }, sections)).toEqual([
      {
        path: ['gitops', 'sail', 'chart'],
        message: expect.stringMatching(/between this node and maps\.example could draw another map/),
      },
    ]);
  });
});

test('the adapter of the made-up engine gets its settings section, and names its warnings and secrets', () => {
  const ground = { cloud: aVault(), verifyEvery: 600_000 };
  const engine = chosenEngine(written, withSail);
  expect(engine.create(ground)).toMatchObject({ name: 'sail', warnings: ['storm ahead'] });
  expect(voyages).toEqual([{ ...ground, settings: { chart: 'north' } }]);
  expect(engine.secrets).toEqual(['sealed-north']);
  expect(engine.endpoints).toEqual([new URL('https://north.example')]);
});

test('enginePrograms names the programs of the made-up engine', () => {
  expect(enginePrograms(withSail)).toEqual([...enginePrograms(), 'sail']);
});

test('engineRemains lists what the made-up engine leaves, and nothing if its API does not answer', async () => {
  const leaving = { ...sail, remains: async (_: unknown, kubeconfig: string) => [`a sail at ${kubeconfig}`] };
  expect(await engineRemains(memoryHost(), '/k3s.yaml', { sail: leaving, none: gitOpsEngines.none })).toEqual(
    ['a sail at /k3s.yaml'],
  );
  const silent = { ...sail, remains: () => Promise.reject(new NodeError('ApiUnavailable', 'no wind')) };
  expect(await engineRemains(memoryHost(), '/k3s.yaml', { sail: silent })).toEqual([]);
});

test('chosenEngine refuses an unknown engine', () => {
  expect(() => chosenEngine(written)).toThrow('no GitOps engine sail');
});

test('an engine without an adapter does not compile', () => {
  // @ts-expect-error An engine needs an adapter.
  const nameless = { argo: { programs: [] } } satisfies GitOpsEngines;
  // @ts-expect-error Settings accept only the engines in the table.
  const chosen: keyof typeof gitOpsEngines = 'sail';
  expect([nameless, chosen]).toHaveLength(2);
});
