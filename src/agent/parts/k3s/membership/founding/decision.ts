import type { FoundingRecord } from './record.ts';

/** The milliseconds for which every other server must be silent before a marked server may found the cluster. */
export const silence = 5 * 60_000;

/** What another server said when this server asked to join. */
export interface PeerAnswer {
  /** The URL of the other server. */
  readonly address: string;
  /** True if this server may join at the address; false for an address that may lead to this server itself. */
  readonly isPeer: boolean;
  /**
   * `hangs` if the address accepts connections and does not answer, and `unresolved` if its name has no address in DNS:
   * neither shows anything about a server.
   */
  readonly says: 'accepts' | 'refuses' | 'foreign' | 'starting' | 'hangs' | 'unresolved' | 'silent';
}

/** Everything that decides what a server without a cluster on its disk does. */
export interface FoundingFacts {
  readonly record: FoundingRecord | undefined;
  /** True if `k3s.init` or the tag marks this server. */
  readonly isMarked: boolean;
  /** True while systemd runs or starts K3s. */
  readonly isStarted: boolean;
  readonly answers: readonly PeerAnswer[];
  /** The milliseconds for which this process has found every other server silent. */
  readonly silentFor: number;
  /** True if consent.founding names this VM. */
  readonly isConsented: boolean;
  /** True if a claim can be made beside the backups. */
  readonly canClaim: boolean;
  /** True if the disk of this machine shows that this server had a cluster (`lostCluster`). */
  readonly hadCluster: boolean;
}

export type FoundingDecision =
  /** K3s is starting with the decision that the record has. */
  | { readonly act: 'stay' }
  | { readonly act: 'join'; readonly server: string }
  | { readonly act: 'found' }
  | { readonly act: 'claim' }
  /** Nothing may begin yet; `for` says what ends the wait. */
  | { readonly act: 'wait'; readonly for: Awaited; readonly after: number }
  | { readonly act: 'refuse'; readonly why: RefusedFor; readonly address: string };

type RefusedFor = 'refused' | 'foreign' | 'unproven' | 'lost';

export type Awaited =
  | { readonly what: 'peer' }
  | { readonly what: 'start'; readonly address: string }
  | { readonly what: 'elsewhere'; readonly address: string }
  | { readonly what: 'hang'; readonly address: string }
  | { readonly what: 'name'; readonly address: string }
  | { readonly what: 'silence'; readonly left: number };

/**
 * Decides what a server with an empty disk does. It joins as soon as a peer accepts its token. It founds the cluster
 * only if it is marked, if nothing else has answered for `silence`, and if a claim or a consent proves that it is
 * alone: silence proves nothing, and a name that does not resolve not even silence. A server that had a cluster never
 * founds another one: its consent may be as old as that cluster.
 */
export function decideFounding(facts: FoundingFacts): FoundingDecision {
  const { record, answers, isMarked, isStarted } = facts;
  const says = (what: PeerAnswer['says']) => answers.filter((answer) => answer.says === what);
  if (record?.state === 'founds' && isStarted) {
    return { act: 'stay' };
  }
  const joinable = says('accepts').filter(({ isPeer }) => isPeer);
  const [chosen] = [...joinable.filter(({ address }) => address === record?.server), ...joinable];
  if (chosen) {
    return { act: 'join', server: chosen.address };
  }
  const [refusing] = [...says('refuses'), ...says('foreign')];
  if (refusing) {
    const why = refusing.says === 'refuses' ? 'refused' : 'foreign';
    return { act: 'refuse', why, address: refusing.address };
  }
  const [elsewhere] = says('accepts');
  if (elsewhere) {
    return wait({ what: 'elsewhere', address: elsewhere.address });
  }
  const [starting] = says('starting');
  if (starting) {
    return wait({ what: 'start', address: starting.address });
  }
  const [hanging] = says('hangs');
  if (hanging) {
    return wait({ what: 'hang', address: hanging.address });
  }
  const [unresolved] = says('unresolved');
  if (unresolved) {
    return wait({ what: 'name', address: unresolved.address });
  }
  return isMarked ? foundWhenProven(facts) : wait({ what: 'peer' });
}

function foundWhenProven(facts: FoundingFacts): FoundingDecision {
  const { record, silentFor, isConsented, canClaim, hadCluster } = facts;
  const left = silence - silentFor;
  if (left > 0) {
    return wait({ what: 'silence', left });
  }
  if (hadCluster) {
    return { act: 'refuse', why: 'lost', address: '' };
  }
  if (record?.state === 'founds' || isConsented) {
    return { act: 'found' };
  }
  return canClaim ? { act: 'claim' } : { act: 'refuse', why: 'unproven', address: '' };
}

function wait(awaited: Awaited): FoundingDecision {
  const after = awaited.what === 'silence' ? Math.min(10_000, awaited.left) : 10_000;
  return { act: 'wait', for: awaited, after };
}
