/** The metrics of the daemon, loaded only if the settings enable them. */
import type { Report, Span } from '../agent/agent.ts';
import { toNodeError } from '../agent/engine/errors.ts';
import type { Emit } from '../agent/engine/events.ts';
import type { Settings } from '../agent/settings/schema.ts';
import { version } from '../launcher/version.ts';
import type { Composition } from './compose.ts';

/**
 * Returns a function that passes each report to the metrics, beginning with the first report whose settings enable a
 * metric. The function logs an error as a warning.
 */
export function metricsExposition(
  ports: Pick<Composition, 'host' | 'paths'>,
  emit: Emit,
): (report: Report, span: Span) => Promise<void> {
  let expose: Awaited<ReturnType<typeof loadMetrics>> | undefined;
  return async (report, span) => {
    const settings: Settings['metrics'] = report.knowledge.files.value?.settings.metrics ?? {};
    const isWanted = Object.values(settings).some((value) => value !== undefined);
    try {
      if (isWanted) {
        expose ??= await loadMetrics(ports, emit);
      }
      await expose?.({ report, ...span }, settings);
    } catch (thrown) {
      emit({ type: 'Warned', message: toNodeError(thrown).message });
    }
  };
}

async function loadMetrics({ host, paths }: Pick<Composition, 'host' | 'paths'>, emit: Emit) {
  const [{ createMetrics }, { exposition }, { metricsServer }, { processStart, processUsage }] =
    await Promise.all([
      import('../agent/report/metrics/metrics.ts'),
      import('../agent/report/metrics/exposition.ts'),
      import('../agent/host/http/metrics-server.ts'),
      import('../agent/host/process/process-usage.ts'),
    ]);
  const metrics = createMetrics({
    version,
    runtime: process.version,
    startedAt: processStart(),
    usage: processUsage,
  });
  return exposition({ metrics, host, root: paths.root, listener: metricsServer(metrics), emit });
}
