import type { HostReader } from '../../../../engine/host.ts';
import { type K3sNode, normaliseServer } from '../../../../node.ts';
import { dropInFlags } from '../../flags/flags.ts';
import { configuredFlags } from '../../flags/given-flags.ts';

/**
 * Returns the names in tls-san, from the settings and the operator's drop-ins, as URLs of servers. Agents may have
 * joined the cluster at one of these names.
 */
export async function serverNames(
  host: HostReader,
  { settings, paths }: K3sNode,
): Promise<readonly string[]> {
  const configured = configuredFlags(settings.k3s.config, paths.k3s.config);
  const flags = [...configured, ...(await dropInFlags(host, paths))];
  return flags.filter(({ name }) => name === 'tls-san').flatMap(({ values }) => values.flatMap(asServer));
}

function asServer(name: string): readonly string[] {
  try {
    return [normaliseServer(name)];
  } catch {
    return [];
  }
}
