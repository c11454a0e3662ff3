import type { HostReader } from '../../engine/host.ts';

/**
 * The executable of Azure Arc's metadata service. The Azure SDKs recognize an Arc machine by the same file (msal-node,
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
