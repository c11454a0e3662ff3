import { ok, type Probe, skipped, type Verdict, warning } from '../../../doctor/probe.ts';
import type { HostReader } from '../../../engine/host.ts';
import { isServer, type K3sNode } from '../../../node.ts';
import { type Certificate, certificateFiles } from './certificate-files.ts';
import { dateOf } from './faults.ts';
import { readServingCertificate } from './serving-certificate.ts';

/**
 * Returns the probes that read the certificates of K3s now: the leaf certificates and the CAs from their files, and on
 * a server the certificate that its port shows.
 */
export function certificateProbes(host: HostReader, node: K3sNode | undefined): readonly Probe[] {
  if (node === undefined) {
    return [];
  }
  const about = 'node' as const;
  const ofKind = async (kind: Certificate['kind']) => lookAtFiles(host, node, kind);
  return [
    { about, what: 'leaf certificates', look: () => ofKind('leaf') },
    { about, what: 'CA certificates', look: () => ofKind('ca') },
    ...(isServer(node)
      ? [{ about, what: 'certificate of the port', look: () => lookAtPort(host, node) }]
      : []),
  ];
}

async function lookAtFiles(host: HostReader, node: K3sNode, kind: Certificate['kind']): Promise<Verdict> {
  const { certificates } = await certificateFiles(host, node.paths);
  const those = certificates.filter((each) => each.kind === kind).toSorted((a, b) => a.ends - b.ends);
  const [first] = those;
  return first ? judgeEnd(host, first, `${those.length} read; `) : skipped('K3s has not made any yet');
}

async function lookAtPort(host: HostReader, node: K3sNode): Promise<Verdict> {
  const shown = await readServingCertificate(host, node).catch(() => undefined);
  return shown
    ? judgeEnd(host, shown, '')
    : skipped('K3s does not answer at its port, which other probes report');
}

function judgeEnd(host: HostReader, { name, ends, from }: Certificate, count: string): Verdict {
  const now = host.now();
  if (ends <= now) {
    return warning(`${count}${name} ended on ${dateOf(ends)}.`, repair);
  }
  return from > now
    ? warning(
        `${count}${name} is not valid before ${dateOf(from)}.`,
        'timedatectl set-ntp true, if the clock is wrong',
      )
    : ok(`${count}the first to end is ${name}, on ${dateOf(ends)}`);
}

const repair = 'docs/usage/certificates.md says which certificate a restart of K3s renews';
