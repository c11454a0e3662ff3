/**
 * What the leader does for the members of etcd.
 *
 * Models pkg/etcd/etcd.go (manageLearners: every 15 s, promote a learner, or remove it after five minutes without
 * progress; the Node condition EtcdIsVoter), pkg/etcd/member_controller.go (a deleted Node of a server, or the
 * annotation `remove`, removes the member; never the own member, or the last one).
 */
import { type Etcd, etcdAt, type Member } from './k3s-etcd-client.ts';
import type { EtcdPlace } from './k3s-etcd-process.ts';
import { log } from './k3s-log.ts';
import type { ApiObject, Objects } from './k3s-objects.ts';

const every = 15_000;
const longestStall = 300_000;
const annotation = (name: string) => `etcd.k3s.cattle.io/${name}`;

/** The progress of a learner, and when it last changed, in epoch milliseconds. */
interface Progress {
  readonly id: string;
  readonly applied: number;
  readonly at: number;
}

/** Runs until the process ends. Only the leader of etcd acts. */
export function runMemberControllers(etcd: Etcd, place: EtcdPlace, objects: Objects): void {
  let progress: Progress | undefined;
  let names = new Map<string, string>();
  /** The members to remove; etcd refuses a removal until it has been in contact with all members for a while. */
  const leaving = new Set<string>();
  const asLeader = async (work: (members: readonly Member[]) => Promise<void>) => {
    try {
      if (await etcd.leads()) {
        await work(await etcd.members());
      }
    } catch (error) {
      log('error', `Failed to manage the members of etcd: ${wordsOf(error)}`);
    }
  };
  setInterval(() => {
    void asLeader(async (members) => {
      const learner = members.find(({ isLearner }) => isLearner);
      progress = learner && (await promoted(etcd, learner, progress, Date.now()));
      reportVoters(objects, members);
    });
  }, every);
  setInterval(() => {
    void asLeader(async (members) => {
      const before = names;
      names = memberNames(objects);
      const unwanted = objects.list('nodes').filter(wantsRemoval);
      for (const [uid, name] of before) {
        if (!names.has(uid) || unwanted.some((one) => nameIn(one) === name)) {
          leaving.add(name);
        }
      }
      for (const name of leaving) {
        await removed(etcd, place, members, name);
        leaving.delete(name);
      }
      for (const node of unwanted) {
        noteRemoval(objects, node);
      }
    });
  }, 1_000);
}

/** Promotes a learner, or removes it after a long stall. Returns its progress while it is a learner. */
async function promoted(
  etcd: Etcd,
  { ID: id, name = '', clientURLs = [] }: Member,
  before: Progress | undefined,
  now: number,
): Promise<Progress | undefined> {
  const isPromoted = await etcd.promote(id).then(
    () => true,
    () => false,
  );
  if (isPromoted) {
    log('info', `Promoted learner ${name}`);
    return undefined;
  }
  const known = before?.id === id ? before : { id, applied: 0, at: now };
  const applied = await appliedIndex(clientURLs);
  if (applied > known.applied) {
    return { id, applied, at: now };
  }
  if (now - known.at > longestStall) {
    await etcd.removeMember(id);
    log('warning', `Removed learner ${name} from etcd cluster`);
    return undefined;
  }
  if (known.at !== now) {
    log('warning', `Learner ${name} stalled at RaftAppliedIndex=${known.applied} for ${now - known.at}ms`);
  }
  return known;
}

/** Resolves to the raft index that a learner has applied; 0 if it does not answer. */
async function appliedIndex([url]: readonly string[]): Promise<number> {
  const status =
    url === undefined
      ? undefined
      : await etcdAt(url, 2_000)
          .status()
          .catch(() => undefined);
  return Number(status?.raftAppliedIndex ?? 0);
}

/** Returns the name of the member of each Node of a server, by the uid of the Node, which its successor lacks. */
function memberNames(objects: Objects): Map<string, string> {
  return new Map(
    objects.list('nodes').flatMap((node) => {
      const name = nameIn(node);
      return name === undefined ? [] : [[String(node.metadata.uid), name] as const];
    }),
  );
}

function nameIn({ metadata }: ApiObject): string | undefined {
  return Object(metadata.annotations)[annotation('node-name')];
}

function wantsRemoval({ metadata }: ApiObject): boolean {
  const annotations = Object(metadata.annotations);
  return annotations[annotation('remove')] === 'true' && !annotations[annotation('removed-node-name')];
}

async function removed(
  etcd: Etcd,
  place: EtcdPlace,
  members: readonly Member[],
  name: string,
): Promise<void> {
  const found = members.find((member) => member.name === name);
  if (found === undefined) {
    return;
  }
  if (name === place.name || members.filter(({ isLearner }) => !isLearner).length <= 1) {
    log('error', 'node has been deleted from the cluster');
    return;
  }
  log('info', `Removing name=${name} id=${found.ID} address=${found.peerURLs[0]} from etcd`);
  await etcd.removeMember(found.ID);
}

function noteRemoval(objects: Objects, node: ApiObject): void {
  const annotations = {
    ...Object(node.metadata.annotations),
    [annotation('removed-node-name')]: nameIn(node),
  };
  objects.put('nodes', undefined, { ...node, metadata: { ...node.metadata, annotations } });
}

/** Sets the condition EtcdIsVoter of each server. */
function reportVoters(objects: Objects, members: readonly Member[]): void {
  for (const node of objects.list('nodes').filter((one) => nameIn(one) !== undefined)) {
    const member = members.find(({ name }) => name === nameIn(node));
    const wanted = { type: 'EtcdIsVoter', ...voterState(member) };
    const conditions: readonly { readonly type: string; readonly status: string }[] =
      Object(node.status).conditions ?? [];
    const before = conditions.find(({ type }) => type === 'EtcdIsVoter');
    const now = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
    const lastTransitionTime = before?.status === wanted.status ? Object(before).lastTransitionTime : now;
    const condition = { ...wanted, lastHeartbeatTime: now, lastTransitionTime };
    objects.put('nodes', undefined, {
      ...node,
      status: {
        ...Object(node.status),
        conditions: [...conditions.filter((one) => one !== before), condition],
      },
    });
  }
}

function voterState(member: Member | undefined): { status: string; reason: string; message: string } {
  if (member === undefined) {
    return {
      status: 'False',
      reason: 'NotAMember',
      message: 'Node is not a member of the etcd cluster',
    };
  }
  return member.isLearner
    ? {
        status: 'False',
        reason: 'MemberIsLearner',
        message: 'Node has not been promoted to voting member of the etcd cluster',
      }
    : {
        status: 'True',
        reason: 'MemberNotLearner',
        message: 'Node is a voting member of the etcd cluster',
      };
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
