import { type NodeError, toNodeError } from '../engine/errors.ts';
import type { HostReader } from '../engine/host.ts';
import { isMet } from '../engine/met.ts';
import type { ConditionType, Finding, Resource } from '../engine/resource.ts';
import { conditionTypes } from '../vocabulary.ts';
import { ok, type Probe, skipped, trouble, type Verdict } from './probe.ts';

/** What a check found, the error that ended it, or what it waits for. */
type Look = Finding | Failed | { readonly state: 'Blocked'; readonly by: string };
type Failed = { readonly state: 'Failed' } & Pick<NodeError, 'reason' | 'message' | 'blocks'>;

/**
 * One probe for each condition of the plan, by the checks that the daemon makes. A check cannot write, so a resource that
 * is not as wished stays so, and what needs it is not looked at.
 */
export function conditionProbes(host: HostReader, plan: readonly Resource[]): readonly Probe[] {
  const look = looker(host, plan);
  return conditionTypes.flatMap((type) => {
    const resources = plan.filter(({ condition }) => condition === type);
    const judgement = async () => {
      const seen: Seen[] = [];
      for (const resource of resources) seen.push({ resource, look: await look(resource) });
      return judge(type, seen);
    };
    return resources.length === 0 ? [] : [{ about: 'node', what: type, look: judgement }];
  });
}

/** Looks at each resource once, after what it needs, whichever condition that belongs to. */
function looker(host: HostReader, plan: readonly Resource[]): (resource: Resource) => Promise<Look> {
  const looks = new Map<string, Look>();
  return async function look(resource) {
    const known = looks.get(resource.id);
    if (known) return known;
    for (const need of plan.filter(({ id }) => resource.needs?.includes(id))) {
      if (!isMet(await look(need))) return keep(resource, { state: 'Blocked', by: need.id });
    }
    return keep(resource, await lookAt(host, resource));
  };

  function keep({ id }: Resource, look: Look): Look {
    looks.set(id, look);
    return look;
  }
}

async function lookAt(host: HostReader, resource: Resource): Promise<Look> {
  try {
    return await resource.check(host);
  } catch (thrown) {
    const { reason, message, blocks } = toNodeError(thrown);
    return { state: 'Failed', reason, message, blocks };
  }
}

function judge(type: ConditionType, seen: readonly Seen[]): Verdict {
  const failed = seen.flatMap(({ look }) => (look.state === 'Failed' ? [look] : []));
  const [worst] = failed.toSorted((a, b) => Number(b.blocks) - Number(a.blocks));
  if (worst) return trouble(worst);
  return unsettled(seen) ?? ok(lastMessage(seen) ?? `${type} is as it should be`);
}

interface Seen {
  readonly resource: Resource;
  readonly look: Look;
}

function unsettled(seen: readonly Seen[]): Verdict | undefined {
  for (const { look } of seen) {
    if (look.state !== 'Waiting') continue;
    const { reason, message, blocks = true } = look;
    // What was started comes by itself; what only answers wrongly may not.
    return trouble({ reason, message, blocks: blocks && reason !== 'ServiceStarting' });
  }
  const due = seen.flatMap(({ look, resource }) =>
    look.state === 'Drifted' ? [look.drift.summary ?? resource.summary] : [],
  );
  if (due.length > 0)
    return { level: 'warning', message: `to be done: ${due.join('; ')}`, repair: whoDoesIt };
  const blocked = seen.flatMap(({ look }) => (look.state === 'Blocked' ? [look.by] : []));
  return blocked.length > 0 ? skipped(`waits for ${[...new Set(blocked)].join(', ')}`) : undefined;
}

const whoDoesIt =
  'the daemon does it, unless slipway status says that it waits for a consent; slipway plan shows how, journalctl -u slipway whether it tried';

function lastMessage(seen: readonly Seen[]): string | undefined {
  const messages = seen.flatMap(({ look }) =>
    look.state === 'InSync' && look.message ? [look.message] : [],
  );
  return messages.at(-1);
}
