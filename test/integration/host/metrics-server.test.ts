import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { metricsServer } from '../../../src/agent/host/http/metrics-server.ts';
import { freePort } from '../../lab/lab.ts';

const served = {
  text: async () => 'slipway_ready 1\n',
  contentType: 'text/plain; version=0.0.4; charset=utf-8',
};

/** Creates a metrics server that is closed when the test ends. */
function server(text: { readonly text: () => Promise<string> } = served) {
  const made = metricsServer({ ...served, ...text });
  onTestFinished(async () => void (await made.follow(undefined)));
  return made;
}

describe('a request for metrics', () => {
  test.each([
    ['GET', '/metrics', 200],
    ['GET', '/metrics?name[]=slipway_ready', 200],
    ['GET', '/', 404],
    ['GET', '/metrics/', 404],
    ['GET', '/METRICS', 404],
    ['GET', '/../metrics.json', 404],
    ['POST', '/', 404],
    ['POST', '/metrics', 405],
    ['PUT', '/metrics', 405],
    ['DELETE', '/metrics', 405],
    ['HEAD', '/metrics', 405],
    ['OPTIONS', '/metrics', 405],
  ])('%s %s gets the status %i', async (method, path, status) => {
    const address = `127.0.0.1:${await freePort()}`;
    expect(await server().follow(address)).toBeUndefined();
    const answer = await fetch(`http://${address}${path}`, { method });
    expect(answer.status).toBe(status);
    expect(answer.headers.get('allow')).toBe(status === 405 ? 'GET' : null);
    const body = await answer.text();
    if (status !== 200) {
      return expect(body).not.toContain('slipway_ready 1');
    }
    expect(body).toBe('slipway_ready 1\n');
    expect(answer.headers.get('content-type')).toBe(served.contentType);
  });

  test('is answered with the current metrics', async () => {
    const address = `127.0.0.1:${await freePort()}`;
    let asked = 0;
    await server({ text: async () => `slipway_passes_total ${++asked}\n` }).follow(address);
    const get = async () => (await fetch(`http://${address}/metrics`)).text();
    expect([await get(), await get()]).toEqual(['slipway_passes_total 1\n', 'slipway_passes_total 2\n']);
  });

  test('loses its connection if the metrics cannot be generated, and a later request is answered', async () => {
    const address = `127.0.0.1:${await freePort()}`;
    let works = false;
    const text = async () => {
      if (!works) {
        throw new Error('broken');
      }
      return 'slipway_ready 1\n';
    };
    await server({ text }).follow(address);
    await expect(fetch(`http://${address}/metrics`)).rejects.toThrow();
    works = true;
    expect((await fetch(`http://${address}/metrics`)).status).toBe(200);
  });
});

describe('the address of the metrics server', () => {
  test('can be changed, which closes the old address, or removed, which closes the server', async () => {
    const [one, other] = [`127.0.0.1:${await freePort()}`, `127.0.0.1:${await freePort()}`];
    const { follow } = server();
    await follow(one);
    expect((await fetch(`http://${one}/metrics`)).status).toBe(200);
    expect(await follow(other)).toBeUndefined();
    expect((await fetch(`http://${other}/metrics`)).status).toBe(200);
    await expect(fetch(`http://${one}/metrics`)).rejects.toThrow();
    await follow(undefined);
    await expect(fetch(`http://${other}/metrics`)).rejects.toThrow();
  });

  test('keeps its connections when set to the same value again', async () => {
    const port = await freePort();
    const { follow } = server();
    await follow(`127.0.0.1:${port}`);
    const kept = connect(port, '127.0.0.1');
    onTestFinished(() => void kept.destroy());
    await once(kept, 'connect');
    await follow(`127.0.0.1:${port}`);
    kept.write('GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n');
    const [answer] = await once(kept, 'data');
    expect(`${answer}`).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  });

  test('can be an IPv6 address or a host name', async () => {
    const port = await freePort();
    const { follow } = server();
    const problem = await follow(`[::1]:${port}`);
    // Some machines have no IPv6.
    if (problem !== undefined) {
      expect(problem).toMatch(/EADDRNOTAVAIL|EAFNOSUPPORT/);
    } else {
      expect((await fetch(`http://[::1]:${port}/metrics`)).status).toBe(200);
    }
    expect(await follow(`localhost:${port}`)).toBeUndefined();
    expect((await fetch(`http://localhost:${port}/metrics`)).status).toBe(200);
  });

  test('causes an EADDRINUSE problem while its port is in use, and serves metrics once the port is free', async () => {
    const port = await freePort();
    const taker = createServer();
    await new Promise<void>((resolve) => taker.listen(port, '127.0.0.1', resolve));
    const { follow } = server();
    const problem = await follow(`127.0.0.1:${port}`);
    expect(problem).toMatch(
      /^The metrics cannot be served at 127\.0\.0\.1:\d+ \(EADDRINUSE\): another program /,
    );
    expect(await follow(`127.0.0.1:${port}`)).toBe(problem);
    await new Promise((resolve) => taker.close(resolve));
    expect(await follow(`127.0.0.1:${port}`)).toBeUndefined();
    expect((await fetch(`http://127.0.0.1:${port}/metrics`)).status).toBe(200);
  });

  test('causes an EADDRNOTAVAIL problem that names metrics.listen if this host does not have the address', async () => {
    expect(await server().follow(`192.0.2.1:${await freePort()}`)).toMatch(
      /\(EADDRNOTAVAIL\): set metrics\.listen to an address that this host has/,
    );
  });
});
