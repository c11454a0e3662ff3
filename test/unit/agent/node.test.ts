import { describe, expect, test } from 'vitest';
import { type K3sNode, mayActForCluster, nodeName, normaliseServer } from '../../../src/agent/node.ts';
import { aNode } from './a-node.ts';

describe('nodeName', () => {
  test.each([
    ['vm-kevinryan-node1', 'vm-kevinryan-node1'],
    ['VM-Node1', 'vm-node1'],
    [' node.example.com\n', 'node.example.com'],
    ['a'.repeat(63), 'a'.repeat(63)],
  ])('converts %j to %j', (given, expected) => {
    expect(nodeName(given)).toBe(expected);
  });

  test.each(['', 'vm_1', '-vm', 'vm-', 'vm..1', 'knöten', 'a'.repeat(64)])('rejects %j', (given) => {
    expect(() => nodeName(given)).toThrow(/Set node\.name/);
  });
});

describe('normaliseServer', () => {
  test.each([
    ['10.0.1.4', 'https://10.0.1.4:6443'],
    ['k3s.example.com', 'https://k3s.example.com:6443'],
    ['host:6444', 'https://host:6444'],
    ['https://10.0.1.4', 'https://10.0.1.4:6443'],
    ['https://10.0.1.4:6443/', 'https://10.0.1.4:6443'],
    ['https://lb.example.com:443', 'https://lb.example.com:443'],
    ['fd00::4', 'https://[fd00::4]:6443'],
    ['[fd00::4]:6443', 'https://[fd00::4]:6443'],
    [' 10.0.1.4 ', 'https://10.0.1.4:6443'],
  ])('converts %j to %j', (given, expected) => {
    expect(normaliseServer(given)).toBe(expected);
  });

  test.each(['', 'http://10.0.1.4', 'https://host/path', 'https://u:p@host', 'a b', 'host?x=1'])(
    'rejects %j',
    (given) => {
      expect(() => normaliseServer(given)).toThrow(
        expect.objectContaining({ reason: 'ServerUnknown', endedBy: 'person' }),
      );
    },
  );
});

describe('mayActForCluster', () => {
  test.each<readonly [string, K3sNode, boolean]>([
    ['the only server', aNode('server'), true],
    ['a server that is named as its own server', aNode('server', { server: 'https://10.0.1.4:6443' }), true],
    ['a server with another server', aNode('server', { server: 'https://10.0.9.9:6443' }), false],
    ['an agent', aNode('agent'), false],
    ['an agent at the address of its server', aNode('agent', { server: 'https://10.0.1.4:6443' }), false],
  ])('of $0 is $2', (_, node, expected) => {
    expect(mayActForCluster({ ...node, address: '10.0.1.4' })).toBe(expected);
  });

  test.each(['fd00:1::5', 'FD00:1::5', 'fd00:1:0:0:0:0:0:5', 'fd00:0001::0005'])(
    'is true for a server whose settings name its own address as the server: %s',
    (address) => {
      const server = normaliseServer(address);
      expect(mayActForCluster(aNode('server', { server, address }))).toBe(true);
    },
  );
});
