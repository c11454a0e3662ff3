import { type Clouds, clouds } from '../clouds/index.ts';
import { metadataSections } from '../clouds/metadata.ts';
import { type GitOpsEngines, gitOpsEngines } from '../gitops/index.ts';
import { gitOpsSection } from '../gitops/settings.ts';
import { backup } from '../parts/backup/settings.ts';
import { datastore, joinToken, k3s } from '../parts/k3s/settings.ts';
import { maintenance } from '../parts/maintenance/settings.ts';
import { imds } from '../parts/network/settings.ts';
import { registries } from '../parts/registry/settings.ts';
import { workloads } from '../parts/workloads/settings.ts';
import { metrics } from '../report/metrics/settings.ts';
import { type Sections, sectionsOf } from './section.ts';
import { consent } from './sections/consent.ts';
import { log } from './sections/log.ts';
import { network } from './sections/network.ts';
import { node } from './sections/node.ts';
import { roles } from './sections/roles.ts';
import { tags } from './sections/tags.ts';

/**
 * Returns every section of the settings with these clouds and engines, in the order of the reference page and of
 * `slipway config`. `imds` comes after the clouds whose metadata service has a default address, and before the other
 * clouds.
 */
export function sectionsWith<Table extends Clouds, Engines extends GitOpsEngines>(
  clouds: Table,
  engines: Engines,
) {
  return {
    roles,
    tags,
    node,
    network,
    ...metadataSections(clouds),
    imds,
    ...sectionsOf(clouds),
    joinToken,
    k3s,
    datastore,
    registries,
    maintenance,
    backup,
    workloads,
    gitops: gitOpsSection(engines),
    consent,
    log,
    metrics,
  };
}

/** Every section, as used by the schema, the defaults, the rules and the reference page. */
export const sections = sectionsWith(clouds, gitOpsEngines) satisfies Sections;
