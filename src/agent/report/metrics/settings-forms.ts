import * as z from 'zod/mini';

/**
 * The schema of `metrics.listen`: an IP address of this host, or localhost, which needs no DNS; then a colon and a
 * port.
 */
export const listenAddress = z
  .string('must be text such as 127.0.0.1:9753; put it in quotes')
  .check(
    z.refine(
      isListenAddress,
      'must be an address of this host with a port from 1024 to 65535 such as 127.0.0.1:9753 or [::1]:9753; leave out http:// and /metrics',
    ),
  );

/**
 * True for an IP address or localhost with a port from 1024 to 65535; the daemon's sandbox may not bind a lower port.
 */
function isListenAddress(value: string): boolean {
  const port = Number(/^(?:localhost|\d+(?:\.\d+){3}|\[[0-9A-Fa-f:.]+\]):(\d{1,5})$/.exec(value)?.[1]);
  return port >= 1024 && port <= 65535 && URL.canParse(`http://${value}`);
}

/**
 * The schema of `metrics.textfile`: an absolute path whose name ends in .prom, since the collector reads no other
 * files.
 */
export const metricsFile = z
  .string('must be text such as /run/slipway/metrics.prom')
  .check(
    z.regex(
      /^(?!.*\/\.{1,2}\/)(?:\/[^/]+)+\.prom$/,
      'must be an absolute path without . and .. that ends in .prom such as /run/slipway/metrics.prom',
    ),
  );
