import * as z from 'zod/mini';
import { azure, cloud, staticCloud } from './sections/cloud.ts';
import { gitops } from './sections/gitops.ts';
import { imds } from './sections/imds.ts';
import { joinToken, k3s } from './sections/k3s.ts';
import { metrics } from './sections/metrics.ts';
import { network, node, role, tags } from './sections/node.ts';
import { registries } from './sections/registries.ts';
import { consent, log } from './sections/slipway.ts';

/** What was configured, merged and validated. Durations are milliseconds; an absent setting is `undefined`. */
export type Settings = DeepReadonly<z.output<typeof settingsSchema>>;

/** Settings as a file writes them, every default in place. */
export type WrittenSettings = z.input<typeof settingsSchema>;

type DeepReadonly<T> = T extends readonly (infer Item)[]
  ? readonly DeepReadonly<Item>[]
  : T extends { reveal(): string }
    ? T
    : T extends object
      ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> }
      : T;

/** The settings of a node. Their defaults are in defaults.ts, what must fit together is in rules.ts. */
export const settingsSchema = z.strictObject({
  cloud,
  role,
  tags,
  node,
  network,
  azure,
  imds,
  static: staticCloud,
  joinToken,
  k3s,
  registries,
  gitops,
  consent,
  log,
  metrics,
});
