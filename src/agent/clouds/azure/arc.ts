import type { HostReader } from '../../engine/host.ts';

/** The Arc agent's own metadata service, by which the Azure SDKs tell an Arc machine (msal-node, AzureArc.ts). */
const arcAgent = '/opt/azcmagent/bin/himds';

/** What to do on a machine that is connected by Azure Arc; empty text on every other. */
export async function arcRemark(host: HostReader): Promise<string> {
  const isArc = (await host.stat(arcAgent).catch(() => undefined)) !== undefined;
  return isArc
    ? ` This machine is connected by Azure Arc (${arcAgent}). Azure Arc is not supported; use cloud: static.`
    : '';
}
