import type { BootedHost } from './booted-host.ts';

/** A Node object, as its server stores it. */
export interface StoredNode {
  readonly ready: string;
  /** The flags of K3s's last start, by name; a repeated flag has several values. */
  readonly flags: Readonly<Record<string, readonly string[]>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly { readonly key: string; readonly effect: string }[];
  /** The addresses by type, such as `InternalIP`. */
  readonly addresses: Readonly<Record<string, string>>;
}

/** Returns a Node that the server stores; throws if the Node does not exist. */
export function storedNode(server: BootedHost, name: string): StoredNode {
  const text = server.read(`/var/lib/rancher/k3s/server/db/objects/nodes/_/${name}.json`);
  const { metadata, spec, status } = JSON.parse(text ?? '');
  const addresses: readonly { readonly type: string; readonly address: string }[] = status.addresses;
  return {
    ready: status.conditions[0].status,
    flags: flagsOf(JSON.parse(metadata.annotations['k3s.io/node-args'])),
    labels: metadata.labels,
    taints: spec.taints ?? [],
    addresses: Object.fromEntries(addresses.map(({ type, address }) => [type, address])),
  };
}

/** Parses a command line in which every flag after the command has a value; a repeated flag gets several values. */
function flagsOf([, ...words]: readonly string[]): Readonly<Record<string, readonly string[]>> {
  const flags = new Map<string, readonly string[]>();
  for (let at = 0; at < words.length; at += 2) {
    const [flag = '', value = ''] = words.slice(at, at + 2);
    const name = flag.replace(/^--/, '');
    flags.set(name, [...(flags.get(name) ?? []), value]);
  }
  return Object.fromEntries(flags);
}
