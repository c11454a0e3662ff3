import { type MemoryHost, unreachable } from '../lab/memory-host.ts';
import { type Certificate, makeAuthority } from '../lab/standins/k3s-certificates.ts';
import {
  isRenewed,
  type StartOptions,
  servingLeaf,
  startAgentLeaves,
  startServerLeaves,
} from '../lab/standins/k3s-leaves.ts';

const data = '/var/lib/rancher/k3s';
const port = 'https://127.0.0.1:6443';
const client = makeAuthority('k3s-client-ca@1700000000');

/** The certificates of the K3s in a world. A test may set the life of new leaf certificates, and keep some old. */
export interface WorldCertificates {
  /** In days; 365 by default. */
  days?: number;
  /** The leaf files that a start does not renew. */
  stuck?: readonly string[];
  /** Issues and renews certificates as a start of K3s does. */
  start(command: 'server' | 'agent'): void;
}

/** Issues the certificates of a K3s with the CA `authority`, and shows one at its port while `isServing` is true. */
export function worldCertificates(
  host: MemoryHost,
  authority: Certificate,
  isServing: () => boolean,
): WorldCertificates {
  const files = {
    read: (path: string) => host.files.text(`${data}/${path}`),
    write: (path: string, text: string) => host.files.write(`${data}/${path}`, text),
  };
  const options = (now: number): StartOptions => {
    const { days = 365, stuck = [] } = made;
    return { authorities: { server: authority, client }, now, days, stuck };
  };
  const made: WorldCertificates = {
    start(command) {
      if (command === 'server') {
        startServerLeaves(files, options(host.now()));
      }
      // An agent's certificates come from its server, whose clock no test sets.
      startAgentLeaves(files, options(command === 'server' ? host.now() : host.monotonic()));
    },
  };
  let serving: string | undefined;
  host.onPeer(port, () => {
    if (!isServing()) {
      return unreachable(port);
    }
    serving = isRenewed(serving, host.now()) ? servingLeaf(options(host.now())).certificate : serving;
    return serving ?? '';
  });
  return made;
}
