import { describe, expect, test } from 'vitest';
import { turnKeys } from '../../../../../../src/agent/parts/maintenance/turn/annotations.ts';
import { fleetNode, fleetNodeItem } from '../../../../../../src/agent/parts/maintenance/turn/fleet-node.ts';
import { aRequest } from './a-fleet.ts';

const isReady = { type: 'Ready', status: 'True' };
const controlPlane = { 'node-role.kubernetes.io/control-plane': 'true' };

function read(fields: object, metadata: object = {}) {
  return fleetNode(
    fleetNodeItem.parse({ metadata: { name: 'n', uid: 'u', resourceVersion: '7', ...metadata }, ...fields }),
  );
}

describe('fleetNode', () => {
  test('returns an agent that serves', () => {
    const status = { conditions: [isReady], nodeInfo: { kubeletVersion: 'v1.36.3+k3s1' } };
    expect(read({ status })).toEqual({
      name: 'n',
      uid: 'u',
      resourceVersion: '7',
      isServer: false,
      ready: 'True',
      serves: true,
      isPlace: true,
      version: 'v1.36.3+k3s1',
      isHeld: false,
      isAdopted: false,
    });
  });

  test.each([
    ['no conditions', undefined, 'Unknown', false],
    ['Ready False', [{ type: 'Ready', status: 'False' }], 'False', false],
    ['Ready Unknown', [{ type: 'Ready', status: 'Unknown' }], 'Unknown', false],
    ['a member of etcd that votes', [isReady, { type: 'EtcdIsVoter', status: 'True' }], 'True', true],
    ['a member of etcd that only learns', [isReady, { type: 'EtcdIsVoter', status: 'False' }], 'True', false],
  ])('judges a node with %s', (_, conditions, ready, serves) => {
    expect(read({ status: { conditions } })).toMatchObject({ ready, serves });
  });

  test.each([
    ['is cordoned', { spec: { unschedulable: true } }, false],
    ['has a taint', { spec: { taints: [{ key: 'a', effect: 'NoSchedule' }] } }, false],
    ['has a taint that only advises', { spec: { taints: [{ key: 'a', effect: 'PreferNoSchedule' }] } }, true],
  ])('knows whether pods could run on a node that %s', (_, fields, isPlace) => {
    expect(read({ status: { conditions: [isReady] }, ...fields }).isPlace).toBe(isPlace);
  });

  test('knows a server by its label or by its request for a turn', () => {
    const request = JSON.stringify(aRequest({ server: true }));
    expect(read({}, { labels: controlPlane }).isServer).toBe(true);
    expect(read({}, { annotations: { [turnKeys.request]: request } }).isServer).toBe(true);
    expect(read({}, { labels: { 'kubernetes.io/os': 'linux' } }).isServer).toBe(false);
  });

  test('knows that a node is held', () => {
    expect(read({}, { annotations: { 'slipway.dev/hold': '' } }).isHeld).toBe(true);
  });
});
