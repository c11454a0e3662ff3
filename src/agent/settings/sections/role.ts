import * as z from 'zod/mini';
import { namesOf, roles } from '../../../roles/index.ts';
import type { Role } from '../../../roles/role.ts';
import { words } from '../forms.ts';
import { about } from '../section.ts';

/**
 * Returns the setting that names one of these roles. The setting accepts any name, because the role is checked only
 * after the tags are merged.
 */
export function roleSetting(among: readonly Role[]) {
  return about(
    `The role of this node: ${namesOf(among).join(', ')}, or a role that roles defines. An open tag k3s-role overrides a settings file: set tags.role to false to make Slipway ignore the tag.`,
    z.optional(words),
  );
}

export const role = roleSetting(roles);
