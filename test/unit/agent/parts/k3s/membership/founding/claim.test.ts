import { expect, test } from 'vitest';
import {
  claimName,
  claimText,
  clusterUnproven,
  foundingSubject,
} from '../../../../../../../src/agent/parts/k3s/membership/founding/claim.ts';
import { aNode } from '../../../../a-node.ts';

const server = aNode('server', { vmId: 'vm-id-1' });
const withoutVm = aNode('server', { vmId: undefined });

test('the name of a claim has the digest of the token', () => {
  expect(claimName('0a1b2c')).toBe('founding/0a1b2c.json');
});

test('the text of a claim has the node, its VM and the random number', () => {
  expect(claimText(server, 'n-1')).toBe('{"node":"vm-1","vm":"vm-id-1","nonce":"n-1"}\n');
  expect(claimText(withoutVm, 'n-1')).toBe('{"node":"vm-1","vm":"","nonce":"n-1"}\n');
});

test('consent.founding names the VM, or the node outside any cloud', () => {
  expect(foundingSubject(server)).toBe('vm-id-1');
  expect(foundingSubject(withoutVm)).toBe('vm-1');
});

test('the refusal without a proof has the reason, and both ways out', () => {
  const { reason, endedBy, message } = clusterUnproven(server, 'WHY', ' LOST');
  expect({ reason, endedBy }).toEqual({ reason: 'ClusterExists', endedBy: 'person' });
  expect(message).toMatch(/: WHY\..*slipway restore.* LOST$/);
  expect(message).toContain('consent: { founding: [vm-id-1] }');
});
