import type * as z from 'zod/mini';
import type { Cloud } from '../clouds/cloud.ts';
import type { Host } from '../engine/host.ts';
import type { SensitiveUrl, Written } from '../settings/section.ts';
import type { ObjectStore } from './store.ts';

/** Everything specific to one kind of store. All code about stores derives from the table of drivers (`index.ts`). */
export interface StoreDriver<Schema extends z.ZodMiniType = z.ZodMiniType> {
  /** The kind of store in words, such as `a folder`. */
  readonly summary: string;
  /** The form of `backup.to`, which no other kind of store has, as the source of a regular expression. */
  readonly form: string;
  /** An example of `backup.to`. */
  readonly example: string;
  /** The store's own settings, below `backup`; absent if it has none. */
  readonly settings?: StoreSettings<Schema>;
  /** Makes the store. Sends no request. Throws `StoreUnsuitable` if this node cannot use the store. */
  create(ground: StoreGround<z.output<Schema>>): ObjectStore;
}

/** The settings of one kind of store. */
export interface StoreSettings<Schema extends z.ZodMiniType = z.ZodMiniType> {
  /** The name of the settings below `backup`. */
  readonly key: string;
  readonly schema: Schema;
  /** Lists the URLs that need consent if they are plain http. Paths start at the settings. */
  plainHttp?(written: Written): readonly SensitiveUrl[];
}

/** The inputs from which a driver makes its store. */
export interface StoreGround<Settings> {
  readonly host: Host;
  readonly cloud: Pick<Cloud, 'name' | 'secret' | 'storage'>;
  /** The setting `backup.to`. */
  readonly to: string;
  /** The store's own settings; `undefined` if they are not set. */
  readonly settings: Settings | undefined;
}
