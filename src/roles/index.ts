import { agent } from './agent.ts';
import { observability } from './observability.ts';
import type { Role } from './role.ts';
import { server } from './server.ts';

/** Every role. To add a role, add a file in this folder and an entry in this list. */
export const roles = [server, agent, observability] as const satisfies readonly Role[];

/** Returns the names of these roles. */
export function namesOf(some: readonly Role[]): readonly string[] {
  return some.map(({ name }) => name);
}

/** Returns the role of that name, ignoring case; `undefined` for an unknown name. */
export function findRole(name: string, among: readonly Role[] = roles): Role | undefined {
  return among.find((role) => role.name === name.trim().toLowerCase());
}
