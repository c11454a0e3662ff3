import type { HostReader } from '../../engine/host.ts';

/**
 * The program of Arc's own metadata service, by which the Azure SDKs, too, recognize an Arc machine (msal-node,
 * AzureArc.ts).
 */
const arcAgent = '/opt/azcmagent/bin/himds';

/** Returns advice for a machine that is connected by Azure Arc; an empty string for any other machine. */
export async function arcRemark(host: HostReader): Promise<string> {
  const isArc = (await host.stat(arcAgent).catch(() => undefined)) !== undefined;
  return isArc
    ? ` This machine is connected by Azure Arc (${arcAgent}). Azure Arc is not supported; use cloud: static.`
    : '';
}
