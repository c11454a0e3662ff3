import { failure, ok, type Probe } from '../../../../doctor/probe.ts';
import type { HostReader } from '../../../../engine/host.ts';
import { type K3sNode, mayActForCluster } from '../../../../node.ts';
import { askChannels } from './list.ts';

/**
 * Returns the probe of the channel in k3s.channel, on the server that asks it; an empty list on any other node. It
 * checks that the list of channels can be read and has the channel.
 */
export function channelProbes({
  host,
  node,
}: {
  readonly host: HostReader;
  readonly node: K3sNode | undefined;
}): readonly Probe[] {
  const channel = node?.settings.k3s.channel;
  if (node === undefined || channel === undefined || !mayActForCluster(node)) {
    return [];
  }
  const look = async () => {
    const { channelUrl } = node.settings.k3s;
    const latest = (await askChannels(host, channelUrl)).get(channel);
    return latest === undefined
      ? failure(`${channelUrl} has no channel ${channel}.`, 'correct k3s.channel or k3s.channelUrl')
      : ok(`${channel} is at ${latest}`);
  };
  return [{ about: 'cloud', what: 'K3s channel', look }];
}
