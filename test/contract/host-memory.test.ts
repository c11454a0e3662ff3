import { describe, expect, test } from 'vitest';
import { bringBy } from '../integration/host/bring.ts';
import { Crash, memoryHost, unreachable } from '../lab/memory-host.ts';

const write = { mode: 0o644 };

describe('memoryHost with scripts', () => {
  test('throws a plain Error that names a call without a script', async () => {
    const host = memoryHost();
    const download = {
      url: 'http://m/k3s',
      checksum: { url: 'http://m/s', name: 'k3s' },
      path: '/k3s',
      mode: 0o755,
    };
    await expect(host.run({ file: 'systemctl', args: ['start', 'k3s'] })).rejects.toThrow(
      /^The test .*systemctl start k3s/,
    );
    await expect(host.get({ url: 'http://x/' })).rejects.toThrow(/GET http:\/\/x\//);
    await expect(host.download(download)).rejects.toThrow(/download http:\/\/m\/k3s/);
  });

  test('answers from the newest matching script, with one-time answers first and in order', async () => {
    const host = memoryHost()
      .on({ file: 'systemctl' }, 'any')
      .on({ file: 'systemctl', args: /^is-active/ }, { exitCode: 3 })
      .once({ file: 'systemctl', args: ['is-active', 'k3s'] }, 'first')
      .once({ file: 'systemctl', args: ['is-active', 'k3s'] }, 'second');
    const ask = async (...args: string[]) => {
      const { exitCode, stdout } = await host.query({ file: '/usr/bin/systemctl', args });
      return `${exitCode} ${stdout}`;
    };
    expect([
      await ask('is-active', 'k3s'),
      await ask('is-active', 'k3s'),
      await ask('is-active', 'k3s'),
    ]).toEqual(['0 first', '0 second', '3 ']);
    expect(await ask('show', 'k3s')).toBe('0 any');
    expect(host.unused()).toEqual([]);
  });

  test('reports the scripts that no call matched', () => {
    const host = memoryHost()
      .on({ file: 'flux', args: ['version'] })
      .onGet('http://x/', 'y')
      .onDownload(/k3s$/, 'z');
    expect(host.unused()).toEqual(['flux version', 'GET http://x/', 'download /k3s$/']);
  });

  test('lets a script change the machine', async () => {
    const host = memoryHost().on({ file: 'k3s' }, ({ args }, world) => {
      world.files.write('/var/started', `${args.join(' ')} at ${world.now()}`);
      return 'ok';
    });
    await host.run({ file: '/usr/local/bin/k3s', args: ['server'] });
    expect(host.files.text('/var/started')).toBe(`server at ${host.now()}`);
    expect(host.lines()).toEqual(['run /usr/local/bin/k3s server']);
  });

  test('throws an Error that a script has as its answer, and installs the download of a script', async () => {
    const checksum = { url: 'http://m/s', name: 'k3s' };
    const host = memoryHost()
      .onGet(/ping/, unreachable('http://s/ping'))
      .onDownload('http://m/k3s', 'binary');
    await expect(host.get({ url: 'http://s/ping' })).rejects.toMatchObject({ reason: 'Unreachable' });
    await bringBy(host, { url: 'http://m/k3s', checksum, path: '/usr/local/bin/k3s', mode: 0o755 });
    expect(host.files.snapshot()).toEqual({ '/usr/local/bin/k3s': '0755 binary' });
  });
});

describe('the clock of memoryHost', () => {
  test('ends a sleep at once, and makes the changes that are scheduled during the sleep', async () => {
    const host = memoryHost({ now: 1_000 });
    const seen: number[] = [];
    host.at(3_000, (world) => seen.push(world.now())).at(2_000, (world) => seen.push(world.now()));
    await host.sleep(5_000);
    expect([host.now(), seen]).toEqual([6_000, [2_000, 3_000]]);
  });

  test('ends a sleep when its signal is aborted', async () => {
    const host = memoryHost({ now: 1_000 });
    const wake = new AbortController();
    host.at(2_000, () => wake.abort());
    await host.sleep(5_000, wake.signal);
    await host.sleep(5_000, wake.signal);
    expect(host.now()).toBe(2_000);
  });
});

describe('memoryHost with a fault', () => {
  test('makes no mutation after the process was killed', async () => {
    const host = memoryHost().crashBefore(2).on({ file: 'true' });
    await host.writeFile('/a', 'x', write);
    await expect(host.run({ file: 'true', args: [] })).rejects.toBeInstanceOf(Crash);
    await expect(host.readFile('/a')).rejects.toBeInstanceOf(Crash);
    expect(() => host.now()).toThrow(Crash);
    expect([host.crashed, host.mutations, host.lines()]).toEqual([true, 1, ['write /a 0644']]);
    host.restart();
    expect((await host.readFile('/a'))?.content).toBe('x');
    expect(host.mutations).toBe(0);
  });

  test('refuses writes to a faulty path until the path is healed', async () => {
    const host = memoryHost().failWrite('/a', 'ENOSPC');
    await expect(host.writeFile('/a', 'x', write)).rejects.toMatchObject({ reason: 'DiskFull' });
    expect(host.lines()).toEqual([]);
    await host.heal('/a').writeFile('/a', 'x', write);
    expect(host.files.text('/a')).toBe('x');
  });
});
