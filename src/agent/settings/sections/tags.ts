import * as z from 'zod/mini';
import { about, type SettingsSection } from '../section.ts';

const schema = about(
  'The instance tags that Slipway uses. An open tag overrides the settings files; false closes the tag.',
  z.strictObject({
    role: about('Whether the tag k3s-role sets role.', z.boolean()),
    server: about('Whether the tag k3s-server sets k3s.server.', z.boolean()),
    init: about('Whether the tag k3s-init sets k3s.init.', z.boolean()),
    version: about('Whether the tag k3s-version sets k3s.version.', z.boolean()),
    hold: about('Whether the tag k3s-hold sets maintenance.hold.', z.boolean()),
  }),
);

export const tags = {
  schema: schema,
  defaults: { role: true, server: true, init: true, version: true, hold: true },
} as const satisfies SettingsSection<typeof schema>;
