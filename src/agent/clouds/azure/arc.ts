import type { HostReader } from '../../engine/host.ts';

/** The Arc agent's own metadata service, by which the Azure SDKs recognize an Arc machine (msal-node, AzureArc.ts). */
const arcAgent = '/opt/azcmagent/bin/himds';

/** Returns what to do on a machine that is connected by Azure Arc; empty text on every other machine. */
export async function arcRemark(host: HostReader): Promise<string> {
  const isArc = (await host.stat(arcAgent).catch(() => undefined)) !== undefined;
  return isArc
    ? ` This machine is connected by Azure Arc (${arcAgent}). Azure Arc is not supported; use cloud: static.`
    : '';
}
