import { agent } from './agent.ts';
import { ingress } from './ingress.ts';
import { observability } from './observability.ts';
import type { BuiltInRole, Role } from './role.ts';
import { server } from './server.ts';

/** Every built-in role. To add a role, add a file in this folder and an entry in this list. */
export const roles = [server, agent, observability, ingress] as const satisfies readonly BuiltInRole[];

/** Returns the names of these roles. */
export function namesOf(some: readonly Role[]): readonly string[] {
  return some.map(({ name }) => name);
}

/** Returns the role with this name, ignoring case and surrounding blanks; `undefined` for an unknown name. */
export function findRole(name: string, among: readonly Role[] = roles): Role | undefined {
  return among.find((role) => role.name === name.trim().toLowerCase());
}

/** A role that the settings define. */
export interface DefinedRole {
  readonly k3s: Role['k3s'];
  readonly labels?: readonly string[] | undefined;
  readonly taints?: readonly string[] | undefined;
}

/**
 * Returns the built-in roles, then a role for each entry of `defined`. The `k3s` of an entry decides whether its role
 * has the memory and the GitOps handover of a server or of an agent.
 */
export function rolesWith(defined: Readonly<Record<string, DefinedRole>>): readonly Role[] {
  const others = Object.entries(defined).map(([name, { k3s, labels = [], taints = [] }]): Role => {
    const kind = k3s === 'server' ? server : agent;
    return { ...kind, name, summary: 'a role of the settings', labels, taints };
  });
  return [...roles, ...others];
}
