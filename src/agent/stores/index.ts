import type { Cloud } from '../clouds/cloud.ts';
import { NodeError } from '../engine/errors.ts';
import type { Host } from '../engine/host.ts';
import { forPerson } from '../engine/severity.ts';
import { text } from '../settings/forms.ts';
import { mapAt } from '../settings/path.ts';
import type { SensitiveUrl, Written } from '../settings/section.ts';
import { azureBlob } from './azure-blob/azure-blob.ts';
import type { StoreDriver } from './driver.ts';
import { folder } from './folder/folder.ts';
import { oracleObjects } from './oracle-objects/oracle-objects.ts';
import { s3 } from './s3/s3.ts';
import type { ObjectStore } from './store.ts';

/** Every kind of store. All code about stores and their settings derives from this table. */
export const stores = { folder, azureBlob, s3, oracleObjects } as const satisfies Readonly<
  Record<string, StoreDriver>
>;

const drivers: readonly StoreDriver[] = Object.values(stores);

/** Every kind of store with an example, as a phrase for the settings page. */
export const storeKinds = drivers.map(({ summary, example }) => `${summary} (\`${example}\`)`).join(', or ');

/** The form of `backup.to`, from the forms of all stores. */
export const storeAddress = text(
  new RegExp(`^(?:${drivers.map(({ form }) => form).join('|')})$`),
  `name a store: ${drivers.map(({ summary, example }) => `${summary} (${example})`).join(', or ')}`,
);

/** The schemas of the stores' own settings, to spread in the schema of `backup`. */
export const storeSettings = { s3: s3.settings.schema } as const;

/** Lists the URLs in the stores' own settings that need consent if they are plain http. Paths start at `backup`. */
export function storeUrls(backup: Written): readonly SensitiveUrl[] {
  return drivers.flatMap(({ settings }) =>
    settings === undefined
      ? []
      : (settings.plainHttp?.(mapAt(backup, [settings.key])) ?? []).map((each) => ({
          ...each,
          path: [settings.key, ...each.path],
        })),
  );
}

/** The settings that choose a store: `backup.to`, and below `backup` the own settings of some stores. */
export type Choosing = { readonly to: string } & Readonly<Record<string, unknown>>;

/** The inputs from which a store is made. */
export interface Ground {
  readonly host: Host;
  readonly cloud: Pick<Cloud, 'name' | 'secret' | 'storage'>;
}

/** Makes the store that the settings name. Sends no request. Throws `StoreUnsuitable` if this node cannot use it. */
export function objectStore(backup: Choosing, { host, cloud }: Ground): ObjectStore {
  const driver = drivers.find(({ form }) => new RegExp(`^(?:${form})$`).test(backup.to));
  if (driver === undefined) {
    throw new NodeError('StoreUnsuitable', 'backup.to does not name a store. Correct it.', forPerson);
  }
  const { key } = driver.settings ?? {};
  return driver.create({ host, cloud, to: backup.to, settings: key === undefined ? undefined : backup[key] });
}
