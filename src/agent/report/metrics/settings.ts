import * as z from 'zod/mini';
import { about, type SettingsSection } from '../../settings/section.ts';
import { listenAddress, metricsFile } from './settings-forms.ts';

const schema = about(
  'Metrics of the daemon, for Prometheus and compatible collectors; off unless you set listen or textfile (see metrics.md).',
  z.strictObject({
    listen: about(
      'The address and port that serve the metrics at /metrics, such as 127.0.0.1:9753. Metrics contain no secret, and anyone who can connect to the port can read them.',
      z.optional(listenAddress),
    ),
    textfile: about(
      "The file to which the daemon writes the metrics each time it has checked the node, for node_exporter's textfile collector, such as /run/slipway/metrics.prom.",
      z.optional(metricsFile),
    ),
  }),
);

export const metrics = { schema, defaults: {} } as const satisfies SettingsSection<typeof schema>;
