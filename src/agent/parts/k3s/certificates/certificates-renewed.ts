import { commandLine } from '../../../engine/command-line.ts';
import { shortDigest } from '../../../engine/digest.ts';
import type { Host, HostReader } from '../../../engine/host.ts';
import { type Finding, inSync, type Resource, waiting } from '../../../engine/resource.ts';
import { advisory } from '../../../engine/severity.ts';
import { type K3sNode, unitName } from '../../../node.ts';
import { systemctl } from '../../../resources/unit.ts';
import type { Gate, Wish } from '../gate.ts';
import { heldUntilOwnStart } from '../service/adopted-start.ts';
import type { Certificate } from './certificate-files.ts';
import { certificateFaults, dateOf, type Fault } from './faults.ts';
import { type Judgement, judgeCertificates } from './judgement.ts';
import { renewalTimes } from './renewal-times.ts';

export const certificatesId = 'Certificates/k3s';

/**
 * Watches the certificates of K3s, and restarts K3s through the gate when a leaf certificate is due, because K3s renews
 * leaf certificates only when it starts.
 *
 * Does not restart a K3s that another unit has started: that restart would change its flags, and needs a consent.
 * Reports what a restart cannot repair and a person must: a leaf certificate that the last start did not renew, a
 * certificate of the port that K3s did not renew in time, a CA near its end, a damaged file, and a clock by which a
 * certificate is not valid yet. Blocks no other Resource. `needs` should name the service of K3s: while an input such
 * as the executable is missing, a restart would stop K3s for good.
 */
export function certificatesRenewed(node: K3sNode, gate: Gate, needs: readonly string[]): Resource {
  return heldUntilOwnStart(node, {
    id: certificatesId,
    summary: `restart ${unitName(node.role.k3s)}, so that K3s renews its certificates`,
    condition: 'Certificates',
    needs,
    async check(host) {
      const judgement = await judgeCertificates(host, node);
      const faults = certificateFaults(node, judgement);
      const { due, damages, stuck, isStarting } = judgement;
      if (isStarting && due.length + damages.length + stuck.length > 0) {
        return waiting('ServiceStarting', unsettled, settling);
      }
      return (
        (await renewal(host, { node, gate, judgement, faults })) ??
        faultFound(faults) ??
        inSync({ message: overview(judgement), until: nextDue(judgement, host.now()) })
      );
    },
  });
}

const unsettled =
  'K3s is not up, or has been up for less than five minutes, and may still renew certificates';
const settling = { blocks: false, isExpected: true, after: 30_000 } as const;
/** The milliseconds until the next check of something that only a person can repair. */
const seldom = 600_000;

interface Subject {
  readonly node: K3sNode;
  readonly gate: Gate;
  readonly judgement: Judgement;
  readonly faults: readonly Fault[];
}

/**
 * Returns the restart that renews the due certificates, or what the gate wants first; `undefined` if none is due or the
 * clock is wrong.
 */
async function renewal(
  host: HostReader,
  { node, gate, judgement, faults }: Subject,
): Promise<Finding | undefined> {
  const { due, notYetValid } = judgement;
  // A wrong clock makes certificates look due that are not; those that K3s would issue now would be wrong, too.
  const isClockWrong = notYetValid.some(({ kind }) => kind !== 'ca');
  const wish = isClockWrong ? undefined : renewalWish(judgement, host.now());
  if (wish === undefined) {
    return undefined;
  }
  const obstacle = await gate(host, wish);
  if (obstacle?.state === 'Waiting') {
    const told = [...faults.map(({ message }) => message), obstacle.message].join(' ');
    return faultFound(faults, told, obstacle.after) ?? { ...obstacle, blocks: false };
  }
  return obstacle ?? restart(unitName(node.role.k3s), due);
}

/** Returns the wish to renew the due certificates; `undefined` if none is due. */
export function renewalWish({ due, window }: Judgement, now: number): Wish | undefined {
  const dated = due.map((leaf) => ({ leaf, times: renewalTimes(leaf, window) }));
  const [first] = dated.toSorted((a, b) => a.times.due - b.times.due);
  if (first === undefined) {
    return undefined;
  }
  return {
    kind: 'certificates',
    name: 'renew certificates',
    // Covers only the first certificate, so that the wish stays the same while further certificates become due.
    digest: shortDigest(`${first.leaf.name} ${first.leaf.ends}`),
    ...(dated.some(({ times }) => times.outsideWindows <= now) && { outsideWindows: true }),
    ...(dated.some(({ times }) => times.urgent <= now) && { isUrgent: true, isAboutAccess: true }),
  };
}

function restart(unit: string, due: readonly Certificate[]): Finding {
  const command = systemctl('restart', '--no-block', unit);
  const changes = due.map(({ name, ends }) => ({
    field: name,
    observed: `ends on ${dateOf(ends)}`,
    desired: 'renewed',
  }));
  const remedy = async (host: Host) => void (await host.run(command));
  return {
    state: 'Drifted',
    drift: { changes, summary: commandLine(command), due: true, blocks: false, remedy },
  };
}

function faultFound(faults: readonly Fault[], message?: string, after = seldom): Finding | undefined {
  const [first] = faults;
  const told = message ?? faults.map((each) => each.message).join(' ');
  return first && waiting(first.reason, told, { ...advisory, after });
}

function overview({ certificates }: Judgement): string {
  const firsts = (['leaf', 'ca'] as const).flatMap((kind) => {
    const [first] = certificates.filter((each) => each.kind === kind).toSorted((a, b) => a.ends - b.ends);
    return first
      ? [`the first ${kind === 'ca' ? 'CA' : kind} ends on ${dateOf(first.ends)} (${first.name})`]
      : [];
  });
  return [`${certificates.length} certificates`, ...firsts].join('; ');
}

function nextDue({ certificates, window }: Judgement, now: number): number {
  const leaves = certificates.filter(({ kind }) => kind === 'leaf');
  const due = leaves.map((leaf) => renewalTimes(leaf, window).due).filter((time) => time > now);
  return Math.min(...due, Number.POSITIVE_INFINITY);
}
