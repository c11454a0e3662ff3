/** What K3s and kubelet refuse must not be in a role: a fake K3s takes any label. */
import { describe, expect, test } from 'vitest';
import * as z from 'zod/mini';
import { nodeLabel, nodeTaint } from '../../../src/agent/settings/forms.ts';
import { findRole, namesOf, roles } from '../../../src/roles/index.ts';
import type { Role } from '../../../src/roles/role.ts';

test('every role has a name of its own', () => {
  expect(new Set(namesOf(roles)).size).toBe(roles.length);
});

describe.each<Role>(roles)('role $name', (role) => {
  test('is found by its name', () => {
    expect(findRole(role.name)).toBe(role);
  });

  test('has labels that kubelet may give its node, and valid taints', () => {
    expect(role.labels.flatMap((label) => faults(nodeLabel, label))).toEqual([]);
    expect(role.taints.flatMap((taint) => faults(nodeTaint, taint))).toEqual([]);
  });

  test('hands its cluster over to GitOps only from a server, which has the kubeconfig for it', () => {
    expect(role.gitops ? role.k3s : 'server').toBe('server');
  });
});

function faults(form: z.ZodMiniType, value: string): readonly string[] {
  return (z.safeParse(form, value).error?.issues ?? []).map(({ message }) => `${value} ${message}`);
}

test('a role that K3s cannot run does not compile', () => {
  const agent = { name: 'a', summary: 'a', k3s: 'agent', labels: [], taints: [], gitops: false, memory: 512 };
  // @ts-expect-error An agent has no kubeconfig with which to hand a cluster over.
  const handsOver: Role = { ...agent, k3s: 'agent', gitops: true };
  // @ts-expect-error Kubernetes knows no such effect.
  const taint: Role['taints'][number] = 'ingress=true:NoExecut';
  expect([handsOver, taint]).toHaveLength(2);
});
