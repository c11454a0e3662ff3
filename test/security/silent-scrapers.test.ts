import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { metricsServer } from '../../src/agent/host/metrics-server.ts';
import { freePort } from '../lab/lab.ts';

test('clients that begin a request and never end it do not keep Prometheus from the metrics', async () => {
  const port = await freePort();
  const made = metricsServer({ text: async () => 'slipway_ready 1\n', contentType: 'text/plain' });
  onTestFinished(async () => void (await made.follow(undefined)));
  await made.follow(`127.0.0.1:${port}`);
  for (let n = 0; n < 100; n += 1) {
    const socket = connect(port, '127.0.0.1');
    onTestFinished(() => void socket.destroy());
    socket.on('error', () => {});
    await once(socket, 'connect');
    socket.write('GET /metrics HTTP/1.1\r\nHost: ');
  }
  const answer = await fetch(`http://127.0.0.1:${port}/metrics`);
  expect(await answer.text()).toBe('slipway_ready 1\n');
});
