import type { Cloud } from '../../../clouds/cloud.ts';
import { ok, type Probe, skipped } from '../../../doctor/probe.ts';
import type { Settings } from '../../../settings/schema.ts';
import { inOrder } from './judgement.ts';
import { eventWords } from './words.ts';

/**
 * Returns the probe of the interruptions that the cloud announces: whether the cloud answers, and what it announces. An
 * empty list in a cloud that announces none. The probe asks nothing while maintenance.scheduledEvents is off, because
 * the first question switches the events on for the VM.
 */
export function eventProbes({
  settings,
  cloud: { events },
}: {
  readonly settings: Settings;
  readonly cloud: Pick<Cloud, 'events'>;
}): readonly Probe[] {
  if (events === undefined) {
    return [];
  }
  const { scheduledEvents } = settings.maintenance;
  const look = async () => {
    if (scheduledEvents === 'off') {
      return skipped('maintenance.scheduledEvents is off, so the cloud is not asked');
    }
    const { events: found } = await events.list();
    const words = inOrder(found).map(eventWords).join('; ');
    return ok(`${scheduledEvents}: ${words || 'the cloud answers, and announces no interruption'}`);
  };
  return [{ about: 'cloud', what: 'scheduled events', look }];
}
