import { join } from 'node:path';
import { toNodeError } from '../../engine/errors.ts';
import type { Emit } from '../../engine/events.ts';
import type { Host } from '../../engine/host.ts';
import type { Settings } from '../../settings/schema.ts';
import type { Pass } from './meter.ts';
import type { Metrics } from './metrics.ts';

export interface ExpositionPorts {
  readonly metrics: Metrics;
  readonly host: Pick<Host, 'writeFile' | 'remove'>;
  /** The root directory for the paths in the settings. */
  readonly root: string;
  readonly listener: Listener;
  readonly emit: Emit;
}

/** The HTTP server for the metrics. */
export interface Listener {
  /**
   * Listens only at this address from now on, or nowhere if the address is `undefined`. Resolves to an error message if
   * this fails, otherwise to `undefined`.
   */
  follow(address: string | undefined): Promise<string | undefined>;
}

/**
 * Returns a function that exposes the metrics after each pass as the settings require: at an address, in a file, both
 * or neither. Tries again at each pass after an error, and logs only one warning while the error lasts.
 */
export function exposition({ metrics, host, root, listener, emit }: ExpositionPorts) {
  const warnOfServer = warner(emit);
  const warnOfFile = warner(emit);
  const follow = textfile(host, metrics);
  return async (pass: Pass, settings: Settings['metrics']): Promise<void> => {
    metrics.observe(pass);
    warnOfServer(await listener.follow(settings.listen));
    warnOfFile(await follow(settings.textfile && join(root, settings.textfile)));
  };
}

/**
 * Returns a function that writes the metrics to a file, and resolves to an error message if this fails, otherwise to
 * `undefined`. Removes a file that is no longer wanted, since its readers could not see that it is outdated.
 */
function textfile(host: ExpositionPorts['host'], metrics: Metrics) {
  let written: string | undefined;
  return async (path: string | undefined): Promise<string | undefined> => {
    try {
      if (written !== undefined && written !== path) {
        await host.remove(written);
        written = undefined;
      }
      if (path === undefined) {
        return undefined;
      }
      await host.writeFile(path, await metrics.text(), { mode: 0o644 });
      written = path;
      return undefined;
    } catch (thrown) {
      return `The metrics are not in metrics.textfile: ${toNodeError(thrown).message}`;
    }
  };
}

function warner(emit: Emit): (message: string | undefined) => void {
  let told: string | undefined;
  return (message) => {
    if (message !== undefined && message !== told) {
      emit({ type: 'Warned', message });
    }
    told = message;
  };
}
