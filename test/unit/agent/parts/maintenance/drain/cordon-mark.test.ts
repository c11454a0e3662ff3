import { expect, test } from 'vitest';
import {
  cordonKey,
  cordonMark,
  cordonOf,
} from '../../../../../../src/agent/parts/maintenance/drain/cordon-mark.ts';

const mark = cordonMark('restart', 0);
const marked = { annotations: { [cordonKey]: mark } };

function managedBy(...managers: readonly string[]) {
  return {
    managedFields: managers.map((manager) => ({
      manager,
      fieldsV1: { 'f:spec': { 'f:unschedulable': {} } },
    })),
  };
}

test.each([
  ['without a cordon', {}, 'nobody'],
  ['with a mark whose cordon is gone', { metadata: marked }, 'nobody'],
  ['that was made schedulable', { metadata: marked, spec: { unschedulable: false } }, 'nobody'],
  ['that a person cordoned', { spec: { unschedulable: true } }, 'another'],
  ['that Slipway cordoned', { metadata: marked, spec: { unschedulable: true } }, 'slipway'],
  [
    'whose cordon the API attributes to Slipway',
    { metadata: { ...marked, ...managedBy('slipway') }, spec: { unschedulable: true } },
    'slipway',
  ],
  [
    'whose cordon the API attributes to kubectl, with an old mark',
    { metadata: { ...marked, ...managedBy('kubectl-cordon') }, spec: { unschedulable: true } },
    'another',
  ],
  [
    'whose cordon the API attributes to both Slipway and kubectl',
    { metadata: { ...marked, ...managedBy('kubectl-cordon', 'slipway') }, spec: { unschedulable: true } },
    'slipway',
  ],
])('for a Node $0, cordonOf returns $2', (_, node, by) => {
  expect(cordonOf(node)).toMatchObject({ by, isMarked: 'metadata' in node });
});
