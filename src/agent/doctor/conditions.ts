import { type Checked, describe, type Standing } from '../engine/describe.ts';
import { toNodeError } from '../engine/errors.ts';
import type { HostReader } from '../engine/host.ts';
import { isMet } from '../engine/is-met.ts';
import type { Reason } from '../engine/reasons.ts';
import type { ConditionType, Resource } from '../engine/resource.ts';
import { conditionTypes } from '../vocabulary.ts';
import { ok, type Probe, skipped, trouble, type Verdict } from './probe.ts';

/**
 * Returns one probe for each condition of the plan that has a resource that is not quiet. The probes run the daemon's
 * checks, which cannot write. So a drift is not corrected, and the resources that depend on the correction are not
 * checked.
 */
export function conditionProbes(host: HostReader, plan: readonly Resource[]): readonly Probe[] {
  const look = onceEach(host, plan);
  return conditionTypes.flatMap((type) => {
    const resources = plan.filter(({ condition }) => condition === type);
    const judgement = async () => {
      const seen: Checked[] = [];
      for (const resource of resources) {
        seen.push(await look(resource));
      }
      return judgeCondition(type, seen);
    };
    const isTold = resources.some(({ isQuiet }) => !isQuiet);
    return isTold ? [{ about: 'node', what: type, look: judgement }] : [];
  });
}

/**
 * Returns a function that checks a resource after its dependencies, and each resource only once, even if several
 * conditions share it. Does not check a resource whose dependency is not met, and returns it as `Blocked`.
 */
function onceEach(host: HostReader, plan: readonly Resource[]): (resource: Resource) => Promise<Checked> {
  const looks = new Map<string, Checked>();
  return async function look(resource) {
    const known = looks.get(resource.id);
    if (known) {
      return known;
    }
    for (const need of plan.filter(({ id }) => resource.needs?.includes(id))) {
      if (!isMet(await look(need))) {
        return keep({ resource, state: 'Blocked', by: need.id });
      }
    }
    return keep(await lookAt(host, resource));
  };

  function keep(seen: Checked): Checked {
    looks.set(seen.resource.id, seen);
    return seen;
  }
}

async function lookAt(host: HostReader, resource: Resource): Promise<Checked> {
  try {
    return { resource, ...(await resource.check(host)) };
  } catch (thrown) {
    const { reason, message, blocks } = toNodeError(thrown);
    return { resource, state: 'Failed', reason, message, blocks };
  }
}

function judgeCondition(type: ConditionType, seen: readonly Checked[]): Verdict {
  const found = seen.map(describe);
  const those = (...standings: readonly Standing[]) =>
    standings.flatMap((standing) => found.filter((each) => each.standing === standing));
  const said = (standing: Standing) => [...new Set(those(standing).map(({ message }) => message))];
  const [worst] = those('stop', 'wait', 'note');
  if (worst) {
    return trouble({ ...worst, blocks: worst.blocks === true && !endsByItself.includes(worst.reason) });
  }
  const due = said('change');
  if (due.length > 0) {
    return { level: 'warning', message: `${due.length} to change: ${due.join('; ')}`, repair: whoDoesIt };
  }
  const blocked = said('follow');
  if (blocked.length > 0) {
    return skipped(blocked.join('; '));
  }
  const telling = those('in sync').findLast(({ message }) => message !== '');
  return ok(telling?.message ?? `${type} is as it should be`);
}

/**
 * The reasons with which a blocking wait is only a warning, because the start or job will end. A wait with any other
 * reason may not end.
 */
const endsByItself: readonly Reason[] = ['ServiceStarting', 'InProgress'];

const whoDoesIt =
  'the daemon does it, unless slipway status says that it waits for a consent; slipway plan shows how, journalctl -u slipway whether it tried';
