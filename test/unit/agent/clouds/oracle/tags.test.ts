import { expect, test } from 'vitest';
import { identityTags } from '../../../../../src/agent/clouds/oracle/tags.ts';

const vm = {
  freeformTags: { 'K3s-Role': 'server', 'k3s-version': 'v1.36.3+k3s1' },
  definedTags: { K3s: { 'k3s-role': 'agent', replicas: 3 }, 'Oracle-Tags': { CreatedBy: 'ann' } },
};

test.each([
  [
    'the freeform tags by lower-case name',
    vm,
    undefined,
    { 'k3s-role': 'server', 'k3s-version': 'v1.36.3+k3s1' },
  ],
  ['only the defined tags of a namespace', vm, 'K3s', { 'k3s-role': 'agent' }],
  ['the defined tags of a namespace regardless of its case', vm, 'k3S', { 'k3s-role': 'agent' }],
  ['no tags for a missing namespace', vm, 'other', {}],
  ['no tags for a VM without tags', {}, undefined, {}],
  ['no tags for a VM whose tags are null', { freeformTags: null, definedTags: null }, 'K3s', {}],
])('identityTags returns %s', (_what, tags, namespace, expected) => {
  expect(identityTags(tags, namespace)).toEqual(expected);
});
