import { NodeError } from '../../core/errors.ts';

export interface OwnHosts {
  /** The domains of this service in the VM's cloud. */
  readonly domains: readonly string[];
  /** The setting that names the host. */
  readonly setting: string;
}

/**
 * Throws `ForeignHost` unless `host` lies below a domain of the VM's own cloud: a token of the VM's identity is shown to
 * no other host.
 */
export function requireOwnHost(host: string, { domains, setting }: OwnHosts): void {
  if (domains.some((domain) => host.endsWith(`.${domain}`))) return;
  throw new NodeError(
    'ForeignHost',
    `${host} is outside ${domains.join(', ')}, so it is not shown a token of this VM's identity. Correct ${setting} or azure.environment.`,
    { retry: { pace: 'slow' } },
  );
}
