import { type CloudName, clouds } from '../../src/agent/clouds/index.ts';
import type { DrivenWorld } from './cloud.ts';
import { azureWorld } from './cloud-azure.ts';
import { driverContract } from './cloud-driver.ts';
import { oracleWorld } from './cloud-oracle.ts';
import { staticWorld } from './cloud-static.ts';

/** The world from which the driver of this cloud makes a cloud. */
type World<Name extends CloudName> = DrivenWorld<Parameters<(typeof clouds)[Name]['create']>[0]['settings']>;

/** Starts the world of each cloud; this file does not compile if a cloud is missing. */
const worlds: { readonly [Name in CloudName]: () => Promise<World<Name>> | World<Name> } = {
  azure: azureWorld,
  oracle: oracleWorld,
  static: staticWorld,
};

for (const name of Object.keys(clouds) as CloudName[]) {
  driverContract<object>(name, clouds[name], worlds[name]);
}
