import { agent } from './agent.ts';
import { observability } from './observability.ts';
import type { Role } from './role.ts';
import { server } from './server.ts';

/** Every role there is. A new one is a file beside these and an entry here. */
export const roles = [server, agent, observability] as const satisfies readonly Role[];

/** The names of these roles. */
export function namesOf(some: readonly Role[]): readonly string[] {
  return some.map(({ name }) => name);
}

/** The role of that name, upper and lower case alike. */
export function findRole(name: string, among: readonly Role[] = roles): Role | undefined {
  return among.find((role) => role.name === name.trim().toLowerCase());
}
