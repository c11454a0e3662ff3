import { agent } from './agent.ts';
import { observability } from './observability.ts';
import type { Role } from './role.ts';
import { server } from './server.ts';

/** Every role there is. A new one is a file beside these and a line here. */
export const roles: readonly Role[] = [server, agent, observability];

export const roleNames: readonly string[] = roles.map((role) => role.name);

/** The role of that name, upper and lower case alike. */
export function findRole(name: string): Role | undefined {
  return roles.find((role) => role.name === name.trim().toLowerCase());
}
