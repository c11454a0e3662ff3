import { hintsOf } from '../../../clouds/chosen.ts';
import { unitName } from '../../../node.ts';
import { showUnit } from '../../../resources/unit.ts';
import type { ReleaseVerdict } from '../upgrade/replaced.ts';
import { findCause, lastWords } from './journal/find-cause.ts';
import { startJournal, unitProperties } from './starting.ts';

/** The number of times that K3s must end before its release counts as one that does not come up. */
const ends = 3;

/**
 * Judges the start of a release by how often K3s ends, never by the time that the start takes: a server compacts its
 * database at the start, which can take minutes. A release does not come up if K3s ended three times, or once with a
 * line that shows that this release cannot run here; but never if the journal shows a cause that would keep any release
 * from starting.
 *
 * Judges only a K3s that has just ended, because only then is its journal complete.
 */
export const releaseVerdict: ReleaseVerdict = async (host, node, { restarts, wanted }) => {
  const unit = unitName(node.role.k3s);
  const shown = await showUnit(host, unit, unitProperties);
  if (shown.ActiveState === 'active' || shown.ActiveState === 'reloading') {
    return 'up';
  }
  if (shown.SubState !== 'auto-restart' && shown.ActiveState !== 'failed') {
    return 'starting';
  }
  const log = await startJournal(host, unit, shown.InvocationID);
  const cause = findCause(log, node.role.k3s, hintsOf(node.settings));
  const ended = endsSince(restarts, Number(shown.NRestarts) || 0);
  const isOver = cause?.fault === 'release' ? ended > 0 : ended >= ends;
  if (!isOver || cause?.fault === 'elsewhere') {
    return 'starting';
  }
  const said = lastWords(log);
  const words = said === undefined ? '' : ` Its last words: "${said}".`;
  const times = ended === 1 ? 'once' : `${ended} times`;
  return { why: `K3s ${wanted} ended ${times} after its start.${cause ? ` ${cause.message}` : words}` };
};

/**
 * Returns how often K3s ended by itself since the upgrade began. systemd counts from zero after a restart by command,
 * unless K3s had ended and waited to be started again.
 */
function endsSince(before: number, now: number): number {
  return now >= before ? now - before : now;
}
