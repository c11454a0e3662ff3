import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { metricsServer } from '../../src/agent/host/http/metrics-server.ts';
import { freePort } from '../lab/lab.ts';

test('Prometheus gets the metrics while other clients leave their requests unfinished', async () => {
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

test('a client that sends thousands of requests at once is disconnected, and the metrics are generated once', async () => {
  const port = await freePort();
  let asked = 0;
  const made = metricsServer({ text: async () => `slipway_asked ${++asked}\n`, contentType: 'text/plain' });
  onTestFinished(async () => void (await made.follow(undefined)));
  await made.follow(`127.0.0.1:${port}`);
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => {});
  await once(socket, 'connect');
  // Not `events.once`, which would reject if the connection is reset.
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.write('GET /metrics HTTP/1.1\r\nHost: slipway\r\n\r\n'.repeat(10_000));
  socket.resume();
  await closed;
  expect(asked).toBe(1);
});

test('a scraper that keeps its connection open gets every answer on this connection', async () => {
  const port = await freePort();
  const made = metricsServer({ text: async () => 'slipway_ready 1\n', contentType: 'text/plain' });
  onTestFinished(async () => void (await made.follow(undefined)));
  await made.follow(`127.0.0.1:${port}`);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  onTestFinished(() => agent.destroy());
  const ports = new Set<number | undefined>();
  for (let n = 0; n < 3; n += 1) {
    const asking = request({ host: '127.0.0.1', port, path: '/metrics', agent }).end();
    const [response] = await once(asking, 'response');
    ports.add(asking.socket?.localPort);
    expect(await text(response)).toBe('slipway_ready 1\n');
  }
  expect(ports.size).toBe(1);
});
