import type { HostReader } from '../../../engine/host.ts';
import { type K3sNode, unitName } from '../../../node.ts';
import { showUnit } from '../../../resources/unit.ts';
import { lastVersion } from '../upgrade/last-version.ts';
import { type Certificate, certificateFiles, type Damage } from './certificate-files.ts';
import { isStuck, issuedAt, lastStart } from './last-start.ts';
import { caReportedFrom, renewalTimes, renewalWindow } from './renewal-times.ts';
import { servingCertificate } from './serving-certificate.ts';

/** The certificates of a node, and what is to be done about them. */
export interface Judgement {
  readonly certificates: readonly Certificate[];
  readonly damages: readonly Damage[];
  /** The certificates that are not valid yet, so the clock of this machine or of their issuer is wrong. */
  readonly notYetValid: readonly Certificate[];
  /** The leaf certificates that a restart of K3s renews. */
  readonly due: readonly Certificate[];
  /** The leaf certificates that were due at the last start of K3s, and that it did not renew. */
  readonly stuck: readonly Certificate[];
  /** The CA certificates whose end is near. */
  readonly endingCas: readonly Certificate[];
  /** The certificate of the port of K3s, if K3s should have renewed it long ago. */
  readonly lateServing: readonly Certificate[];
  /** How long before its end K3s renews a certificate of a server, in milliseconds. */
  readonly window: number;
  /** True if K3s does not run, or has started so recently that it may still write certificates. */
  readonly isStarting: boolean;
}

/** The milliseconds after a start within which K3s may still renew certificates, such as those of its own agent. */
const settling = 300_000;

/** Reads and judges the certificates of this node. Asks systemd about K3s only if a certificate is due or damaged. */
export async function judgeCertificates(host: HostReader, node: K3sNode): Promise<Judgement> {
  const { certificates, damages, window } = await nodeCertificates(host, node);
  const now = host.now();
  const isDue = (leaf: Certificate) => leaf.kind === 'leaf' && renewalTimes(leaf, window).due <= now;
  const due = certificates.filter(isDue);
  const state = due.length > 0 || damages.length > 0 ? await stateOfStart(host, node) : undefined;
  const start = state?.start;
  const dueAfterStart = start ? due.map((leaf) => issuedAt(leaf, start)).filter(isDue) : due;
  const stuck = start ? dueAfterStart.filter((leaf) => isStuck(leaf, start, window)) : [];
  return {
    certificates,
    damages,
    notYetValid: certificates.filter(({ from }) => from > now),
    due: dueAfterStart.filter((leaf) => !stuck.includes(leaf)),
    stuck,
    endingCas: certificates.filter((each) => each.kind === 'ca' && caReportedFrom(each) <= now),
    lateServing: certificates.filter(
      (each) => each.kind === 'serving' && renewalTimes(each, window).outsideWindows <= now,
    ),
    window,
    isStarting: state?.isStarting ?? false,
  };
}

/** Returns all certificates of this node, and how long before the end its K3s renews a leaf, in milliseconds. */
export async function nodeCertificates(host: HostReader, node: K3sNode) {
  const { certificates, damages } = await certificateFiles(host, node.paths);
  const serving = await servingCertificate(host, node);
  const window = renewalWindow((await lastVersion(host, node.paths)) ?? node.version);
  return { certificates: [...certificates, ...(serving ? [serving] : [])], damages, window };
}

async function stateOfStart(host: HostReader, node: K3sNode) {
  const shown = await showUnit(host, unitName(node.role.k3s), ['ActiveState', 'InvocationID', 'Job']);
  const start = await lastStart(host, node, shown.InvocationID);
  const running = start ? host.now() - start.at : undefined;
  const isFresh = running !== undefined && running >= 0 && running < settling;
  return { start, isStarting: shown.ActiveState !== 'active' || /^[1-9]/.test(shown.Job) || isFresh };
}
