import { join } from 'node:path';
import type { Reason } from '../../../engine/reasons.ts';
import { type K3sNode, unitName } from '../../../node.ts';
import type { Certificate } from './certificate-files.ts';
import type { Judgement } from './judgement.ts';

/** Something about the certificates that a person must repair. The message states what happened, and what to do. */
export interface Fault {
  readonly reason: Reason;
  readonly message: string;
}

/** Returns the faults of the certificates, the most urgent first. */
export function certificateFaults(node: K3sNode, judgement: Judgement): readonly Fault[] {
  return [
    ...notYetValid(judgement),
    ...damaged(judgement),
    ...notRenewed(node, judgement),
    ...lateServing(node, judgement),
    ...endingCas(judgement),
  ];
}

/** Returns a time as a date, such as `2027-03-01`. */
export function dateOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}

function notYetValid({ notYetValid: found }: Judgement): readonly Fault[] {
  const [first] = found;
  if (first === undefined) {
    return [];
  }
  const from = new Date(first.from).toISOString();
  return [
    {
      reason: 'CertificateNotYetValid',
      message:
        `${namesOf(found)} ${verb(found, 'is', 'are')} not valid before ${from}, a time that the clock of this VM has not ` +
        'reached. Correct the clock of this VM (timedatectl), or of the server that issued the certificate. Slipway does ' +
        'not restart K3s for certificates meanwhile.',
    },
  ];
}

function damaged({ damages }: Judgement): readonly Fault[] {
  if (damages.length === 0) {
    return [];
  }
  const each = shortList(damages.map(({ path, why }) => `${path} ${why}`));
  return [
    {
      reason: 'CertificateDamaged',
      message:
        `${each}. Restore a CA certificate from a copy. K3s makes any other certificate of its own again: move the file ` +
        'aside, and restart K3s when an interruption suits.',
    },
  ];
}

function notRenewed({ role }: K3sNode, { stuck }: Judgement): readonly Fault[] {
  if (stuck.length === 0) {
    return [];
  }
  const ends = Math.min(...stuck.map((each) => each.ends));
  const unit = unitName(role.k3s);
  return [
    {
      reason: 'CertificateNotRenewed',
      message:
        `K3s did not renew ${namesOf(stuck)} when it last started; the first end is on ${dateOf(ends)}. Slipway does not ` +
        `restart K3s again for this. Find the cause (journalctl -u ${unit} -b), or move aside a file that K3s no longer uses.`,
    },
  ];
}

function lateServing({ paths }: K3sNode, { lateServing: found }: Judgement): readonly Fault[] {
  return found.map(({ name, ends }) => ({
    reason: 'CertificateNotRenewed',
    message:
      `K3s did not renew the certificate of ${name} while it ran; it ends on ${dateOf(ends)}. Delete the Secret ` +
      `kube-system/k3s-serving and ${join(paths.k3s.serverTls, 'dynamic-cert.json')}, and restart K3s when an interruption suits.`,
  }));
}

function endingCas({ endingCas: found }: Judgement): readonly Fault[] {
  if (found.length === 0) {
    return [];
  }
  const ends = Math.min(...found.map((each) => each.ends));
  return [
    {
      reason: 'CaEnding',
      message:
        `The CA ${namesOf(found)} of the cluster ends on ${dateOf(ends)}, and K3s does not renew it. Rotate the CA ` +
        'certificates before: k3s certificate rotate-ca on a server, then restart all servers, then all agents.',
    },
  ];
}

function namesOf(certificates: readonly Certificate[]): string {
  return shortList(certificates.map(({ name }) => name));
}

function verb(things: readonly unknown[], one: string, more: string): string {
  return things.length === 1 ? one : more;
}

function shortList(items: readonly string[]): string {
  const shown = items.slice(0, 3).join(', ');
  return items.length > 3 ? `${shown} and ${items.length - 3} more` : shown;
}
