import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { NodeError } from '../../../src/agent/engine/errors.ts';
import type { Reason } from '../../../src/agent/engine/reasons.ts';
import type { ConditionType, Outcome } from '../../../src/agent/engine/resource.ts';
import { conditionTypes, reasons } from '../../../src/agent/vocabulary.ts';
import { roles } from '../../../src/roles/index.ts';
import { registry, vm } from '../../scenario/a-vm.ts';

const root = join(import.meta.dirname, '../../..');
const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => join(root, 'src', name));
const isTable = (path: string) => /\/(own-)?reasons\.ts$/.test(path);

test('every reason is in the table of exactly one module', async () => {
  const tables = await Promise.all(sources.filter(isTable).map((path) => import(path)));
  const owned = tables.flatMap((table) => Object.values<object>(table).flatMap(Object.keys));
  expect(owned.toSorted()).toEqual(Object.keys(reasons).toSorted());
});

test('every reason is used by the program', () => {
  const program = sources
    .filter((path) => !isTable(path))
    .map((path) => readFileSync(path, 'utf8'))
    .join('\n');
  const unused = Object.keys(reasons).filter(
    (reason) => !new RegExp(`'${reason}'|\\b${reason}:`).test(program),
  );
  expect(unused).toEqual([]);
});

test('a misspelt reason or condition does not compile', () => {
  // @ts-expect-error DiskFul is not a reason.
  expect(new NodeError('DiskFul', 'no room').reason).toBe('DiskFul');
  // @ts-expect-error NodeRedy is not a condition.
  expect('NodeRedy' satisfies ConditionType).toBe('NodeRedy');
  expect('DiskFull' satisfies Reason).toBe('DiskFull');
});

const common = `registries: { proof: ['${registry}/app:1'] }\nnetwork: { nat: { from: [10.0.2.0/24] } }\nbackup: { to: /mnt/backup }`;
const nodes = [...roles.map(({ name }) => [name, common]), ['server', `${common}\nk3s: { datastore: etcd }`]];

/** The outcomes of all Resources in the first pass of a node, for each role, and for one of several servers. */
const firstPasses = await Promise.all(
  nodes.map(async ([role = '', settings]) => {
    const { outcomes } = await vm(role, settings).slipway().pass();
    return outcomes;
  }),
);

test('the list of conditions has exactly the conditions of the planned Resources', () => {
  const planned = new Set(firstPasses.flat().map(({ resource }) => resource.condition));
  expect(conditionTypes.filter((type) => !planned.has(type))).toEqual([]);
  expect([...planned].filter((type) => !conditionTypes.includes(type))).toEqual([]);
});

test('the conditions are listed in the order that they become True at a first boot', () => {
  for (const outcomes of firstPasses) {
    expect(misplaced(outcomes)).toEqual([]);
  }
});

/**
 * Returns the conditions whose last Resource is planned before the first Resource of a condition that is listed
 * earlier.
 */
function misplaced(outcomes: readonly Outcome[]): readonly ConditionType[] {
  const planned = outcomes.map(({ resource }) => resource.condition);
  let begun = 0;
  return conditionTypes.filter((type) => {
    begun = Math.max(begun, planned.indexOf(type));
    return planned.includes(type) && planned.lastIndexOf(type) < begun;
  });
}
