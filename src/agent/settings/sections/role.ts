import * as z from 'zod/mini';
import { namesOf, roles } from '../../../roles/index.ts';
import type { Role } from '../../../roles/role.ts';
import { words } from '../forms.ts';
import { about } from '../section.ts';

/**
 * Returns the setting that names one of these roles. The setting accepts any text, because the role is checked only
 * after the tags are merged.
 */
export function roleSetting(among: readonly Role[]) {
  return about(
    `What this VM is: ${namesOf(among).join(', ')}, or a role that roles defines. By default the tag k3s-role sets it, and an open tag overrides a settings file: set tags.role to false to fix the role here.`,
    z.optional(words),
  );
}

export const role = roleSetting(roles);
