import { NodeError } from '../engine/errors.ts';
import { forPerson } from '../engine/severity.ts';

export interface OwnHosts {
  /** The domains of this service in the VM's cloud. */
  readonly domains: readonly string[];
  /** The settings to check, as the message names them. */
  readonly setting: string;
  /** Hosts outside these domains that may see a token: consent.identityHosts. */
  readonly consented: readonly string[];
}

/**
 * Throws `ForeignHost` unless `host` is a subdomain of one of `domains` or is in `consented`. No other host may see a
 * token of the VM's identity.
 */
export function requireOwnHost(host: string, { domains, setting, consented }: OwnHosts): void {
  if (consented.includes(host) || domains.some((domain) => host.endsWith(`.${domain}`))) {
    return;
  }
  throw new NodeError(
    'ForeignHost',
    `${host} is outside ${domains.join(', ')}, so it is not shown a token of this VM's identity. Correct ${setting}; to show it all the same, add \`consent: { identityHosts: [${[...consented, host].join(', ')}] }\` to /etc/slipway/config.yaml.`,
    forPerson,
  );
}
