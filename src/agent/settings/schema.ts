import * as z from 'zod/mini';
import { clouds } from '../clouds/index.ts';
import { cloudSchemas, metadataSchemas } from '../clouds/sections.ts';
import { gitops } from '../gitops/settings.ts';
import { joinToken, k3s } from '../parts/k3s/settings.ts';
import { imds } from '../parts/network/settings.ts';
import { registries } from '../parts/registry/settings.ts';
import { metrics } from '../report/metrics/settings.ts';
import type { DeepReadonly } from './read-only.ts';
import { cloud } from './sections/cloud.ts';
import { network, node, role, tags } from './sections/node.ts';
import { consent, log } from './sections/slipway.ts';

/** What was configured, merged and validated. Durations are milliseconds; an absent setting is `undefined`. */
export type Settings = DeepReadonly<z.output<typeof settingsSchema>>;

/** Settings as a file writes them, every default in place. */
export type WrittenSettings = z.input<typeof settingsSchema>;

/**
 * The settings of a node. Their defaults are in defaults.ts, what must fit together is in rules.ts. The order is that of
 * pages and of `slipway config`: `imds` comes after the clouds whose metadata service it is about, and before the others.
 */
export const settingsSchema = z.strictObject({
  cloud,
  role,
  tags,
  node,
  network,
  ...metadataSchemas(clouds),
  imds,
  ...cloudSchemas(clouds),
  joinToken,
  k3s,
  registries,
  gitops,
  consent,
  log,
  metrics,
});
