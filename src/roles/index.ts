import { agent } from './agent.ts';
import { observability } from './observability.ts';
import type { Role } from './role.ts';
import { server } from './server.ts';

/** Every role. A new one is a file beside these and an entry here. */
export const roles = [server, agent, observability] as const satisfies readonly Role[];

/** Returns the names of these roles. */
export function namesOf(some: readonly Role[]): readonly string[] {
  return some.map(({ name }) => name);
}

/** Returns the role of that name, in upper or lower case. */
export function findRole(name: string, among: readonly Role[] = roles): Role | undefined {
  return among.find((role) => role.name === name.trim().toLowerCase());
}
