import type { Status } from './status.ts';
import { inTime } from './text-layout.ts';

type Certificate = Status['certificates'][number];

/**
 * Returns a line about the certificates of K3s: the leaf and the CA that end first, and when a restart of K3s will
 * renew the leaf. Returns an empty string before the first start of K3s.
 */
export function certificateLine({ certificates }: Pick<Status, 'certificates'>, now: number): string {
  const leaf = firstToEnd(certificates, 'leaf');
  const ca = firstToEnd(certificates, 'ca');
  if (leaf === undefined) {
    return '';
  }
  const ends = ({ ends }: Certificate) => inTime(ends, now, 'never');
  return [
    `first certificate ends ${ends(leaf)} (${leaf.name})`,
    `its renewal is due ${inTime(leaf.renewal, now, 'never')}`,
    ...(ca ? [`first CA ends ${ends(ca)}`] : []),
  ].join(', ');
}

function firstToEnd(certificates: readonly Certificate[], wanted: string): Certificate | undefined {
  const those = certificates.filter(({ kind }) => kind === wanted);
  return those.toSorted((a, b) => Date.parse(a.ends) - Date.parse(b.ends))[0];
}
