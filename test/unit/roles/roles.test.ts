/**
 * Tests the table of roles. Also checks that its labels and taints have the forms that real K3s accepts, because the
 * fake K3s accepts any.
 */
import { describe, expect, test } from 'vitest';
import * as z from 'zod/mini';
import { nodeLabel, nodeTaint } from '../../../src/agent/settings/forms.ts';
import { findRole, namesOf, roles } from '../../../src/roles/index.ts';
import type { BuiltInRole, Role } from '../../../src/roles/role.ts';

test('every role has a unique name', () => {
  expect(new Set(namesOf(roles)).size).toBe(roles.length);
});

describe.each<Role>(roles)('role $name', (role) => {
  test('is found by its name', () => {
    expect(findRole(role.name)).toBe(role);
  });

  test('has labels that kubelet may set, and valid taints', () => {
    expect(role.labels.flatMap((label) => faults(nodeLabel, label))).toEqual([]);
    expect(role.taints.flatMap((taint) => faults(nodeTaint, taint))).toEqual([]);
  });

  test('bootstraps GitOps only if its K3s command is server', () => {
    expect(role.gitops ? role.k3s : 'server').toBe('server');
  });
});

function faults(form: z.ZodMiniType, value: string): readonly string[] {
  return (z.safeParse(form, value).error?.issues ?? []).map(({ message }) => `${value} ${message}`);
}

test('a role with a handover on an agent, or with an unknown taint effect, does not compile', () => {
  const agent = { name: 'a', summary: 'a', k3s: 'agent', labels: [], taints: [], gitops: false, memory: 512 };
  // @ts-expect-error An agent has no kubeconfig to bootstrap GitOps with.
  const handsOver: Role = { ...agent, k3s: 'agent', gitops: true };
  // @ts-expect-error Kubernetes has no taint effect NoExecut.
  const taint: BuiltInRole['taints'][number] = 'ingress=true:NoExecut';
  expect([handsOver, taint]).toHaveLength(2);
});
