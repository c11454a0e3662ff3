import * as z from 'zod/mini';
import { about, type SettingsSection } from '../section.ts';

const schema = about(
  "Slipway's log.",
  z.strictObject({
    level: about('The lowest level that Slipway logs.', z.enum(['trace', 'debug', 'info', 'warn', 'error'])),
  }),
);

export const log = {
  schema: schema,
  defaults: { level: 'info' },
} as const satisfies SettingsSection<typeof schema>;
