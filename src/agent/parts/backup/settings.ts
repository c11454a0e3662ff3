import * as z from 'zod/mini';
import { cron } from '../../settings/cron-form.ts';
import { about, type SettingsSection } from '../../settings/section.ts';
import { storeAddress, storeKinds, storeSettings, storeUrls } from '../../stores/index.ts';

const schema = about(
  'Backups of the datastore, on the server that acts for its cluster.',
  z.strictObject({
    to: about(
      `The store of the backups: ${storeKinds}. Without it, Slipway makes no backups.`,
      z.optional(storeAddress),
    ),
    schedule: about(
      'The times at which a backup begins: five cron fields, in UTC; the node adds its own delay.',
      cron,
    ),
    retention: about(
      'The number of backups that stay in the store. Slipway removes older ones, but never the last proven one.',
      z
        .int('must be a whole number')
        .check(z.minimum(1, 'must be at least 1'), z.maximum(1000, 'must be at most 1000')),
    ),
    ...storeSettings,
  }),
);

export const backup = {
  schema,
  defaults: { schedule: '0 */6 * * *', retention: 28 },
  plainHttp: storeUrls,
} as const satisfies SettingsSection<typeof schema>;
