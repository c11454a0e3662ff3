import { shortDigest } from '../../../../../../src/agent/engine/digest.ts';
import { reveal } from '../../../../../../src/agent/engine/secret.ts';
import type { K3sNode } from '../../../../../../src/agent/node.ts';
import type { RotationRecord } from '../../../../../../src/agent/parts/k3s/membership/rotation-record.ts';
import {
  noNotice,
  type RotationNotice,
  type ShownRotation,
} from '../../../../../../src/agent/parts/k3s/rotation/notice.ts';
import type { MemoryHost } from '../../../../../lab/memory-host.ts';
import { aNode } from '../../../a-node.ts';
import { aServer, type Unit } from '../datastore/a-datastore.ts';
import { acceptsAt } from '../membership/a-peer.ts';
import { aCa } from '../membership/certificates.ts';

export const rotation = '/var/lib/slipway/token-rotation.json';
export const tokenFile = '/var/lib/slipway/join-token';
export const [from, to] = [shortDigest('swordfish'), shortDigest('marlin')];

export interface RotatingServer {
  readonly host: MemoryHost;
  readonly unit: Unit & { SubState: string };
  readonly node: K3sNode;
  /** The requests to K3s so far, each as `PASSWORD -> NEW PASSWORD`. */
  readonly requests: string[];
  /** The answers of K3s to the next requests; 200 afterwards. */
  readonly answers: number[];
  record(): RotationRecord | undefined;
}

/** Returns a server with the token `swordfish` that rotates to `marlin`, with consent. */
export function rotatingServer(
  state: RotationRecord['state'] | undefined,
  more: Partial<RotationRecord> = {},
): RotatingServer {
  const { host, unit } = aServer();
  // Slipway's own unit makes this folder at each start.
  host.files.makeDirectory('/run/slipway-k3s');
  const requests: string[] = [];
  const answers: number[] = [];
  if (state !== undefined) {
    const tokens = state === 'done' ? {} : { tokens: { from: 'swordfish\n', to: 'marlin\n' } };
    host.files.write(rotation, JSON.stringify({ format: 1, state, from, to, ...tokens, ...more }), 0o600);
  }
  host.onRequest({ method: 'PUT', url: 'https://127.0.0.1:6443/v1-k3s/token' }, (request) => {
    const [, basic = ''] = reveal(request.headers?.authorization ?? '').split(' ');
    const [, password] = atob(basic).split(':');
    requests.push(`${password} -> ${JSON.parse(reveal(request.body ?? '')).newToken}`);
    return { status: answers.shift() ?? 200 };
  });
  return {
    host,
    unit: Object.assign(unit, { SubState: 'running' }),
    node: aNode('server', { settings: { consent: { tokenChange: [to] } } }),
    requests,
    answers,
    record: () => JSON.parse(host.files.text(rotation) ?? 'null') ?? undefined,
  };
}

export const peer = 'https://10.0.0.6:6443';

/** Makes the server of `rotatingServer` one of several; its peer and its own K3s accept a password each. */
export function ofSeveral(
  server: RotatingServer,
  { peerAccepts = 'swordfish', runs = 'swordfish', consents = [to] } = {},
): RotatingServer {
  const { host } = server;
  host.files.write('/var/lib/rancher/k3s/server/tls/server-ca.crt', aCa());
  acceptsAt(host, peer, peerAccepts);
  acceptsAt(host, 'https://127.0.0.1:6443', runs);
  const node = aNode('server', {
    settings: { k3s: { datastore: 'etcd', peers: [peer] }, consent: { tokenChange: consents } },
  });
  return { ...server, node };
}

/** Returns a notice of this rotation that another server shows. */
export function noticeOf(shown: Partial<ShownRotation> = {}): RotationNotice {
  return { ...noNotice, read: async () => ({ node: 'server-2', from, to, isStored: false, ...shown }) };
}
