/**
 * @module Oracle Cloud: instance metadata, Vault and the container registry, accessed as the VM's instance principal.
 */
import { NodeError } from '../../engine/errors.ts';
import { forPerson } from '../../engine/severity.ts';
import type { Cloud } from '../cloud.ts';
import type { CloudGround } from '../driver.ts';
import { requireOwnHost } from '../own-hosts.ts';
import { ifKnown } from '../secret-version.ts';
import { identityService } from './federation.ts';
import { instancePrincipal } from './identity.ts';
import { instanceMetadata, type Place } from './imds.ts';
import { registryToken, registryUser } from './registry.ts';
import type { OracleSettings } from './settings.ts';
import { objectStorage } from './storage.ts';
import { currentVersion, type VaultOptions, vaultSecret, vaultService } from './vault.ts';

/**
 * Makes the adapter for Oracle Cloud. The adapter keeps no secrets except the token and the key pair of the instance
 * principal.
 */
export function oracleCloud({ host, settings, machine, consented = [] }: CloudGround<OracleSettings>): Cloud {
  const { imdsEndpoint, tagNamespace } = settings;
  const metadata = () => instanceMetadata(host, { imdsEndpoint, tagNamespace, hostname: machine.hostname });
  const place = once(async () => (await metadata()).place);
  const principal = instancePrincipal({ host, imdsEndpoint, place });
  /** The ids of the secrets that were read, by secret name. */
  const secretIds = new Map<string, string>();
  async function vault(): Promise<VaultOptions> {
    return { host, principal, vaultId: configuredVault(settings), place: await place() };
  }
  return {
    name: 'oracle',
    identity: async () => (await metadata()).identity,
    async secret(name) {
      const { value, secretId } = await vaultSecret(await vault(), name);
      secretIds.set(name, secretId);
      return value;
    },
    // The service lists versions by the id of the secret, which is known only after the secret was read.
    secretVersion: (name) =>
      ifKnown(async () => {
        const secretId = secretIds.get(name);
        return secretId === undefined ? undefined : currentVersion(await vault(), secretId);
      }),
    formerSecret: (name) => ifKnown(async () => (await vaultSecret(await vault(), name, 'PREVIOUS')).value),
    async endpoints() {
      const here = await place();
      const vaults = settings.vault.id === undefined ? [] : [vaultService(here)];
      return [identityService(here), ...vaults].map((name) => new URL(`https://${name}`));
    },
    registryUser: () => registryUser,
    async registryPassword(loginServer) {
      requireOwnHost(loginServer, registryHosts(await place(), consented));
      return registryToken({ host, principal }, loginServer);
    },
    imageDigest: async () => undefined,
    storage: objectStorage({ host, principal, place }),
  };
}

/**
 * Returns a function that calls `ask` until a call succeeds, and then keeps the result: a VM never changes its region.
 */
function once(ask: () => Promise<Place>): () => Promise<Place> {
  let known: Place | undefined;
  return async () => {
    known ??= await ask();
    return known;
  };
}

/**
 * Returns the options of `requireOwnHost` for Oracle's registry, whose hosts have names such as `fra.ocir.io` and
 * `ocir.eu-frankfurt-1.oci.oraclecloud.com`.
 */
function registryHosts({ domain }: Place, consented: readonly string[]) {
  return { domains: ['ocir.io', `oci.${domain}`], setting: 'registries.servers', consented };
}

function configuredVault({ vault: { id } }: OracleSettings): string {
  if (id !== undefined) {
    return id;
  }
  throw new NodeError(
    'VaultNotConfigured',
    'No vault is configured, so no secret can be read. Set oracle.vault.id to the OCID of the vault that holds the join token.',
    forPerson,
  );
}
